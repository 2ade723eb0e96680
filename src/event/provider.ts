/**
 * Provider names as OpenTelemetry's `gen_ai.provider.name` has them. Gateways and SDKs call the
 * same provider by several names; without one spelling its outcomes would be split.
 */
export const PROVIDER_ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'aws.bedrock': [
      'bedrock',
      'aws',
      'aws_bedrock',
      'aws-bedrock',
      'amazon',
      'amazon-bedrock',
      'amazon_bedrock',
      'bedrock_converse',
    ],
    'azure.ai.openai': ['azure', 'azure_openai', 'azure-openai', 'azureopenai', 'az.ai.openai'],
    'azure.ai.inference': [
      'azure_ai',
      'azure-ai',
      'azure_ai_inference',
      'azure-ai-inference',
      'az.ai.inference',
    ],
    'gcp.gemini': ['gemini', 'google', 'google_ai_studio', 'google-ai-studio', 'google_gemini'],
    'gcp.vertex_ai': [
      'vertex_ai',
      'vertex-ai',
      'vertexai',
      'vertex',
      'google_vertex',
      'google-vertex',
    ],
    'gcp.gen_ai': ['google_genai', 'google-genai'],
    'ibm.watsonx.ai': ['watsonx', 'watsonx_ai', 'watsonx-ai', 'watsonx.ai'],
    mistral_ai: ['mistral', 'mistralai', 'mistral-ai'],
    perplexity: ['perplexity_ai', 'perplexity-ai', 'perplexityai'],
    x_ai: ['xai', 'x-ai', 'x.ai'],
    cohere: ['cohere_chat', 'cohere_ai'],
    deepseek: ['deep_seek', 'deepseek_ai', 'deepseek-ai'],
    openai: ['open_ai', 'open-ai'],
    anthropic: ['anthropic_ai', 'anthropic-ai'],
    together: ['together_ai', 'togetherai'],
    fireworks: ['fireworks_ai', 'fireworks-ai'],
    moonshot_ai: ['moonshot', 'moonshotai'],
    z_ai: ['zai', 'z-ai'],
    voyage_ai: ['voyage', 'voyageai'],
    cloudflare: ['workers_ai'],
  }).flatMap(([name, aliases]) => aliases.map((alias): [string, string] => [alias, name])),
);

/**
 * The name that outcomes, catalogue and prices use for a provider. Known aliases are mapped; any
 * other name stays itself, trimmed and in lower case, so that `OpenAI` and `openai` are one.
 */
export function providerName(given: string): string {
  const name = given.trim().toLowerCase();
  return PROVIDER_ALIASES.get(name) ?? name;
}
