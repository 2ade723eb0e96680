import type { FoldedOutcome } from '../event/outcome.js';
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

/** Of the whole reference. */
export const GENERATION_PARTS = 64;

/**
 * The part of the reference that the output tokens take, in 64ths from 1 on. An offering that is slow
 * to begin and fast then is slower than plain where it is small, and faster where it is great: its
 * pace falls with it. Part of the projection version too.
 */
export function generationOf(inputTokens: number, outputTokens: number): number {
  const whole = referenceMs(inputTokens, outputTokens);
  return 1 + Math.floor(((GENERATION_PARTS - 1) * (whole - referenceMs(inputTokens, 0))) / whole);
}

/** Sizes that stand for unknown ones: about the medians of the Azure 2023 conversation trace. */
export const UNKNOWN_INPUT_TOKENS = 1000;
export const UNKNOWN_OUTPUT_TOKENS = 130;

export const sizeOrTypical = (input: number | null, output: number | null): [number, number] => [
  input ?? UNKNOWN_INPUT_TOKENS,
  output ?? UNKNOWN_OUTPUT_TOKENS,
];

/**
 * Log-ratio of a duration to the reference of its size, in eighths of an octave: +8 is twice as
 * long as the reference, -8 half as long. An integer, so that sums of it are exact.
 */
export function paceOf(durationMs: number, inputTokens: number, outputTokens: number): number {
  return bucketOf(durationMs) - bucketOf(referenceMs(inputTokens, outputTokens));
}

/**
 * µs for each output token after the first where the first one's time is known, else for each
 * output token; null where the tokens are not known.
 */
export function timePerOutputTokenUs(outcome: FoldedOutcome): number | null {
  const { output_tokens: tokens, duration_ms: duration, ttft_ms: ttft } = outcome;
  if (tokens === null || tokens === 0) return null;
  if (ttft === null) return Math.floor((duration * 1000) / tokens);
  if (tokens === 1) return null;
  return Math.floor((Math.max(0, duration - ttft) * 1000) / (tokens - 1));
}
