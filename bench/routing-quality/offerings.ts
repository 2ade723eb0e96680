import { offeringKey } from '../../src/event/offering-key.js';
import type { ModelsValueOffering } from '../../src/hotkeys/values.js';
import { priceAt, type World } from './world.js';

/** A world's offerings as the catalogue has them. */

/** 2026-01-01T00:00:00Z, the moment at which a world starts. */
export const EPOCH_MS = 1_767_225_600_000;
export const MODEL = 'model';

export function keysOf(world: World): string[] {
  return world.offerings.map(({ provider }) => offeringKey(identityOf(provider)));
}

function identityOf(provider: string) {
  return { model: MODEL, provider, deployment: '', region: '' };
}

export function catalogueOffering(
  it: World['offerings'][number],
  world: World,
): ModelsValueOffering {
  const identity = identityOf(it.provider);
  const weights = weightsOf(world);
  return {
    ...identity,
    offering: offeringKey(identity),
    call_as: MODEL,
    capabilities: null,
    context_tokens: null,
    output_tokens_max: null,
    requests_per_minute: null,
    tokens_per_minute: null,
    weight: weights[world.offerings.indexOf(it)]!,
    priority: 0,
    enabled: true,
    prices: it.prices.map(({ fromMs, input, output }) => ({
      valid_from: fromMs === 0 ? 0 : Math.ceil(EPOCH_MS + fromMs),
      tiers: [
        {
          above_input_tokens: 0,
          input: Math.round(input),
          cached_input: null,
          cache_write: null,
          output: Math.round(output),
          request: null,
        },
      ],
    })),
  };
}

/** What an operator would write: in inverse proportion to the square of the first price. */
export function weightsOf(world: World): number[] {
  return world.offerings.map((it) => {
    const { input, output } = priceAt(it, 0);
    return Math.max(1, Math.round(100 * (1e9 / (input + output / 4)) ** 2));
  });
}
