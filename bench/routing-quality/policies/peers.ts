import type { NamedPolicy } from '../policy.js';
import { LAST_SAMPLES_SHIPPED, LastSamples, type LastSamplesSettings } from './last-samples.js';
import { PEAK_EWMA_SHIPPED, PeakEwma, type PeakEwmaSettings } from './peak-ewma.js';
import { THOMPSON_SHIPPED, Thompson, type ThompsonSettings } from './thompson.js';

/** A peer as it comes, and every configuration that is tried on the training seeds. */
export interface PeerKind {
  name: string;
  shipped: NamedPolicy;
  /** At least 30, in a fixed order. */
  configurations: readonly Configuration[];
}

export interface Configuration extends NamedPolicy {
  settings: Readonly<Record<string, unknown>>;
}

const lastSamples = kind<LastSamplesSettings>(
  'last-10 latency (LiteLLM)',
  LAST_SAMPLES_SHIPPED,
  (settings) => (world) => new LastSamples(world, settings),
  grid({
    by: ['utility'],
    samples: [10, 30],
    buffer: [0, 0.1, 0.3],
    ttlMs: [60_000, 300_000, 3_600_000],
    cooldownMs: [5_000, 30_000],
    failureReferences: [4],
    readsGauges: [true],
  }),
);

const peakEwma = kind<PeakEwmaSettings>(
  'peak EWMA of two choices',
  PEAK_EWMA_SHIPPED,
  (settings) => (world) => new PeakEwma(world, settings),
  grid({
    by: ['utility'],
    decayMs: [5_000, 15_000, 60_000, 240_000],
    firstRatio: [0.25, 1],
    failureReferences: [2, 6],
    readsGauges: [true, false],
    ejectAbove: [0.2, 1],
  }),
);

const thompson = kind<ThompsonSettings>(
  'discounted Thompson sampling',
  THOMPSON_SHIPPED,
  (settings) => (world) => new Thompson(world, settings),
  grid({
    by: ['utility'],
    halfLifeMs: [5_000, 10_000, 20_000, 40_000, 80_000],
    priorSuccess: [2, 6],
    priorTime: [1, 3],
    exploration: [0.5, 1],
    readsGauges: [true],
  }),
);

export const PEERS: readonly PeerKind[] = [lastSamples, peakEwma, thompson];

function kind<S extends object>(
  name: string,
  shipped: S,
  make: (settings: S) => NamedPolicy['make'],
  configurations: readonly Partial<S>[],
): PeerKind {
  return {
    name,
    shipped: { name: `${name}, as shipped`, make: make(shipped) },
    configurations: configurations.map((partial) => {
      const settings = { ...shipped, ...partial };
      return { name: `${name}, tuned`, make: make(settings), settings: { ...settings } };
    }),
  };
}

/** Every combination of the values. */
function grid<S extends object>(axes: { [K in keyof S]: readonly S[K][] }): Partial<S>[] {
  let combinations: Partial<S>[] = [{}];
  for (const [name, values] of Object.entries(axes) as [keyof S, readonly S[keyof S][]][]) {
    combinations = combinations.flatMap((it) => values.map((value) => ({ ...it, [name]: value })));
  }
  return combinations;
}
