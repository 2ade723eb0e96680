import { bucketOf } from './histogram.js';

/**
 * What a request of a size takes at a plain offering: 400 ms, a millisecond for each 50 input
 * tokens, 15 ms for each output token. The figures need not be right for any one offering; they
 * only take the size out of its durations, so that a mix of longer answers does not look like
 * slowness. Part of the projection version: other figures make other rows.
 */
export function referenceMs(inputTokens: number, outputTokens: number): number {
  const input = Math.min(inputTokens, 10_000_000);
  const output = Math.min(outputTokens, 1_000_000);
  return 400 + Math.floor(input / 50) + output * 15;
}

/** Sizes that stand for unknown ones: about the medians of the Azure 2023 conversation trace. */
export const UNKNOWN_INPUT_TOKENS = 1000;
export const UNKNOWN_OUTPUT_TOKENS = 130;

/**
 * Log-ratio of a duration to the reference of its size, in eighths of an octave: +8 is twice as
 * long as the reference, -8 half as long. An integer, so that sums of it are exact.
 */
export function paceOf(
  durationMs: number,
  inputTokens: number | null,
  outputTokens: number | null,
): number {
  const reference = referenceMs(
    inputTokens ?? UNKNOWN_INPUT_TOKENS,
    outputTokens ?? UNKNOWN_OUTPUT_TOKENS,
  );
  return bucketOf(durationMs) - bucketOf(reference);
}
