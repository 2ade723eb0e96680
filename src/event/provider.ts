import { offeringKey, parseOfferingKey } from './offering-key.js';
import type { DecodedRecord } from './outcome.js';

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
 * other name stays itself, trimmed and in lower case, so that `OpenAI` and `openai` are one. Only
 * the letters A to Z are lowered: what other letters become hangs on the engine's Unicode version,
 * and the fold must come to the same rows on every one.
 */
export function providerName(given: string): string {
  const name = given.trim().replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return PROVIDER_ALIASES.get(name) ?? name;
}

/** Names that were mapped before: there are few of them, and every event has one. */
const mapped = new Map<string, string>();
/** Spellings that are remembered: garbage can send any number of them. */
const MAPPED_MAX = 1_000;
/** Longer ones break the rule of providers anyway, and are not kept. */
const MAPPED_UNITS_MAX = 64;

function mappedName(given: string): string {
  const known = mapped.get(given);
  if (known !== undefined) return known;
  const name = providerName(given);
  if (mapped.size < MAPPED_MAX && given.length <= MAPPED_UNITS_MAX) mapped.set(given, name);
  return name;
}

/**
 * Gives the providers of a record just decoded their names, in place: producers that write to the
 * log by themselves use whatever name they know.
 */
export function nameProviders(record: DecodedRecord): void {
  switch (record.type) {
    case 'OutcomeBatch':
      for (const outcome of record.value.outcomes) outcome.provider = mappedName(outcome.provider);
      break;
    case 'RequestOutcome':
    case 'OutcomeSummary':
    case 'CatalogueOffering':
    case 'CataloguePrice':
      record.value.provider = mappedName(record.value.provider);
      break;
    case 'CatalogueProvider':
      record.value.name = mappedName(record.value.name);
      break;
    case 'Inflight':
      record.value.offering = renamedOffering(record.value.offering);
      break;
    default:
      break;
  }
}

/** A text that is no key stays as it is, for the rules to refuse. */
function renamedOffering(key: string): string {
  const parts = parseOfferingKey(key);
  if (parts === null) return key;
  const provider = mappedName(parts.provider);
  return provider === parts.provider ? key : offeringKey({ ...parts, provider });
}
