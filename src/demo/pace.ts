/**
 * SYNTHETIC: how fast providers are in the demo's world. The ranges are of the order that such
 * providers show in public, but nothing here was measured on any of them.
 */
export interface PaceRange {
  /** ms to the first token of a short request */
  ttftMs: readonly [number, number];
  /** ms for each further token */
  tokenMs: readonly [number, number];
}

const DEFAULT: PaceRange = { ttftMs: [400, 1_000], tokenMs: [15, 35] };

const BY_PROVIDER: Readonly<Record<string, PaceRange>> = {
  anthropic: { ttftMs: [500, 1_000], tokenMs: [12, 22] },
  'aws.bedrock': { ttftMs: [450, 1_000], tokenMs: [14, 30] },
  'azure.ai.openai': { ttftMs: [250, 700], tokenMs: [9, 22] },
  baseten: { ttftMs: [200, 450], tokenMs: [4, 9] },
  cerebras: { ttftMs: [150, 350], tokenMs: [1, 2] },
  cloudflare: { ttftMs: [300, 800], tokenMs: [18, 35] },
  fireworks: { ttftMs: [250, 550], tokenMs: [6, 13] },
  'gcp.gemini': { ttftMs: [350, 800], tokenMs: [5, 11] },
  'gcp.vertex_ai': { ttftMs: [350, 900], tokenMs: [6, 20] },
  groq: { ttftMs: [120, 250], tokenMs: [2, 4] },
  novita: { ttftMs: [500, 1_200], tokenMs: [20, 40] },
  openai: { ttftMs: [300, 700], tokenMs: [9, 20] },
  openrouter: { ttftMs: [500, 1_100], tokenMs: [12, 28] },
  ovhcloud: { ttftMs: [400, 900], tokenMs: [16, 34] },
  together: { ttftMs: [250, 600], tokenMs: [7, 15] },
};

export function paceRange(provider: string): PaceRange {
  return BY_PROVIDER[provider] ?? DEFAULT;
}
