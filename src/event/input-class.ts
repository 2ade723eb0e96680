/**
 * Classes of input size, by which prices may differ: up to 128 k, 200 k, 272 k, 512 k tokens, and
 * more. Fixed for a projection version, since usage rows are summed by them: a price with another
 * boundary cannot be applied to such rows and is refused.
 */
export const INPUT_CLASS_LIMITS = [128_000, 200_000, 272_000, 512_000] as const;

/** Class 0..4 of a request; unknown sizes count in class 0. */
export function inputClassOf(inputTokens: number | null): number {
  if (inputTokens === null) return 0;
  const index = INPUT_CLASS_LIMITS.findIndex((limit) => inputTokens <= limit);
  return index === -1 ? INPUT_CLASS_LIMITS.length : index;
}

/** Whether a tier may start above this many input tokens. */
export function isPriceBoundary(aboveInputTokens: number): boolean {
  return aboveInputTokens === 0 || INPUT_CLASS_LIMITS.some((limit) => limit === aboveInputTokens);
}
