import { builtInCatalogue } from '../../src/catalogue/built-in.js';
import { offeringsAndPrices } from '../../src/demo/traced-loop.js';
import { offeringKey } from '../../src/event/offering-key.js';
import { type RequestOutcome, STATUSES } from '../../src/event/outcome.js';
import { generationOf, paceOf, sizeOrTypical } from '../../src/fold/reference.js';
import type {
  MinuteRow,
  ModelsValue,
  ModelsValueOffering,
  TickRow,
} from '../../src/hotkeys/values.js';
import { nextSnapshot, type Snapshot } from '../../src/route/snapshot.js';
import { catalogue, counts, view } from './fixtures.js';

type Three = [number, number, number];
type Row = { stream: boolean; counts: number[]; pace: Three; generation: Three };
const added = (a: Three, b: Three): Three => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];

/** The state that a router reads while outcomes come in: health at each state, metrics each second. */
export class ChangingState {
  readonly #models: ModelsValue;
  readonly #ticks = new Map<string, TickRow[]>();
  readonly #minutes = new Map<string, MinuteRow[]>();
  readonly #marked = new Set<string>();
  #snapshot: Snapshot | null = null;
  #metricsSecond = 0;

  constructor() {
    const { offerings, prices } = offeringsAndPrices(builtInCatalogue().entries);
    const priced = offerings.map((it): ModelsValueOffering => {
      const isOf = (price: (typeof prices)[number]) =>
        price.model === it.model && price.provider === it.provider;
      return { ...it, offering: offeringKey(it), prices: prices.filter(isOf) };
    });
    this.#models = catalogue(priced);
  }

  add(outcome: RequestOutcome, atMs: number): void {
    const key = offeringKey(outcome);
    const { stream } = outcome;
    const tick = Math.floor(atMs / 5_000);
    const minute = Math.floor(atMs / 60_000);
    const common = {
      stream,
      fallback: false,
      counts: counts({}),
      pace: [0, 0, 0] as const,
      generation: [0, 0, 0] as const,
    };
    const ofTick = rowOf(this.#ticks, key, (it) => it.tick === tick && it.stream === stream, {
      ...common,
      tick,
      retry_until_ms: 0,
      ratelimit_remaining: null,
    });
    const ofMinute = rowOf(
      this.#minutes,
      key,
      (it) => it.minute === minute && it.stream === stream,
      { ...common, minute, operation: 'chat', input_tokens: [1, 1000], output_tokens: [1, 130] },
    );
    for (const row of [ofTick, ofMinute]) count(row as unknown as Row, outcome);
    this.#marked.add(key);
  }

  /** A state as of now. */
  next(nowMs: number): Snapshot {
    const tick = Math.floor(nowMs / 5_000);
    for (const [key, rows] of this.#ticks) {
      this.#ticks.set(
        key,
        rows.filter((row) => row.tick > tick - 24),
      );
    }
    const values: Record<string, unknown> = {
      health: { newest_tick: tick, ticks: Object.fromEntries(this.#ticks), inflight: {} },
    };
    if (this.#snapshot === null) values['models'] = this.#models;
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#metricsSecond) {
      for (const key of this.#marked) {
        values[`metrics:${key}`] = { offering: key, minutes: this.#minutes.get(key), latency: [] };
      }
      this.#marked.clear();
      this.#metricsSecond = second;
    }
    this.#snapshot = nextSnapshot(this.#snapshot, view(values)).snapshot;
    return this.#snapshot;
  }
}

function rowOf<T>(rows: Map<string, T[]>, key: string, is: (row: T) => boolean, empty: T): T {
  const list = rows.get(key) ?? [];
  rows.set(key, list);
  const known = list.find(is);
  if (known !== undefined) return known;
  list.push(empty);
  return empty;
}

function count(row: Row, { status, duration_ms, input_tokens, output_tokens }: RequestOutcome) {
  row.counts[STATUSES.indexOf(status)]! += 1;
  if (status !== 'success') return;
  const sizes = sizeOrTypical(input_tokens, output_tokens);
  const pace = paceOf(duration_ms, ...sizes);
  const part = generationOf(...sizes);
  row.pace = added(row.pace, [1, pace, pace * pace]);
  row.generation = added(row.generation, [part, part * part, part * pace]);
}
