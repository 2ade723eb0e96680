import { INPUT_CLASS_LIMITS, inputClassOf } from '../event/input-class.js';
import { bucketLow, bucketOf, HISTOGRAM_VALUE_MAX } from '../fold/histogram.js';
import type { Board } from './board.js';
import type { RequestSize } from './price.js';
import type { RouteRequest } from './request.js';

/** The size that the caller expects; what it does not name is as usual for the model. */
export function sizeOf(board: Board, model: string, { estimate }: RouteRequest): RequestSize {
  const usual = board.evidence.measured.usualSize(model);
  const inputTokens = estimate?.input_tokens ?? usual.inputTokens;
  return {
    inputTokens,
    cachedInputTokens: Math.min(estimate?.cached_input_tokens ?? 0, inputTokens),
    outputTokens: estimate?.output_tokens ?? usual.outputTokens,
  };
}

/**
 * A size that stands for all of its class: two classes an octave, cached input by tenths. Sizes of
 * one class are planned together; nobody estimates closer. A class never spans the start of a
 * price tier.
 */
export function classOfSize({
  inputTokens,
  cachedInputTokens,
  outputTokens,
}: RequestSize): RequestSize {
  const input = withinTier(classOf(inputTokens), inputTokens);
  const tenths = inputTokens === 0 ? 0 : Math.round((10 * cachedInputTokens) / inputTokens);
  return {
    inputTokens: input,
    cachedInputTokens: Math.floor((input * tenths) / 10),
    outputTokens: classOf(outputTokens),
  };
}

/** About the middle of the half octave; sizes beyond the histogram are one class. */
function classOf(tokens: number): number {
  if (tokens === 0) return 0;
  return bucketLow((bucketOf(Math.min(tokens, HISTOGRAM_VALUE_MAX)) & ~3) + 2);
}

function withinTier(middle: number, tokens: number): number {
  const tier = inputClassOf(tokens);
  const above = tier === 0 ? 0 : INPUT_CLASS_LIMITS[tier - 1]! + 1;
  return Math.min(Math.max(middle, above), INPUT_CLASS_LIMITS[tier] ?? Number.POSITIVE_INFINITY);
}
