import type { FoldedOutcome } from '../../src/event/outcome.js';
import type { FoldSettings } from '../../src/fold/context.js';
import type { Row } from '../../src/fold/delta.js';
import { type FoldRecord, foldBatch } from '../../src/fold/fold-batch.js';
import { NEW_STATE, partitionState } from '../../src/fold/partition-state.js';
import { TABLES } from '../../src/fold/tables.js';
import type { InflightSum, MetricsValue, TickRow } from '../../src/hotkeys/values.js';
import { topicsOf } from '../../src/log/topics.js';
import { catalogueSnapshot, type Snapshot } from '../../src/route/snapshot.js';
import { catalogueOffering, EPOCH_MS, keysOf, MODEL } from './offerings.js';
import type { Gauge, Seen } from './policy.js';
import { forget, gaugeOf, mergeRow, minuteRowOf, tickRowOf } from './rows.js';
import type { World } from './world.js';

const TICKS = 24;
const GAUGE_TICKS = 3;
const MINUTES = 30;
const METRICS_MS = 1_000;
/** A record is in the log this long before the router has read what it changed. */
const LOG_TO_ROUTER_MS = 60;
const SETTINGS: FoldSettings = { tickRetentionMs: 7_200_000, minuteRetentionMs: 30 * 86_400_000 };
const TOPICS = topicsOf('');
const EMITTER = Buffer.alloc(16, 7);

/**
 * What the router knows: outcomes and gauges go through the fold of the projector, its rows are
 * merged as its tables merge them, and the values of the hot keys are made of them. Health is as
 * new as the last outcome; metrics are written anew once a second.
 */
export class Facts {
  readonly keys: readonly string[];
  readonly #world: World;
  readonly #outcomes = partitionState(TOPICS.outcomes, 0, 10_000, NEW_STATE, 1024);
  readonly #inflight = partitionState(TOPICS.inflight, 0, 10_000, NEW_STATE, 1024);
  readonly #ticks = new Map<string, Map<string, Row>>();
  readonly #minutes = new Map<string, Map<string, Row>>();
  readonly #gauges = new Map<string, { tick: number; sum: InflightSum }>();
  /** By offering, then by tick. */
  readonly #started = new Map<string, Map<number, number>>();
  readonly #marked = new Set<string>();
  #newestTick = 0;
  #metricsMs = 0;
  #offered = 0;
  #isChanged = true;
  #snapshot: Snapshot;

  constructor(world: World) {
    this.#world = world;
    this.keys = keysOf(world);
    this.#snapshot = this.#withCatalogue(catalogueSnapshot(EMPTY), 0);
  }

  addOutcome(seen: Seen): void {
    const value = outcomeOf(this.#world.offerings[seen.offering]!.provider, seen);
    const timestampMs = EPOCH_MS + seen.seenMs - LOG_TO_ROUTER_MS;
    value.event_id = idOf(this.#outcomes.offsetNext);
    this.#fold(this.#outcomes, timestampMs, { type: 'RequestOutcome', value });
  }

  addGauges(atMs: number, gauges: readonly Gauge[]): void {
    const timestampMs = EPOCH_MS + atMs - LOG_TO_ROUTER_MS;
    gauges.forEach((gauge, index) => {
      const value = {
        emitter: EMITTER,
        offering: this.keys[index]!,
        tick: Math.floor(timestampMs / 5_000),
        started: gauge.started,
        in_flight: gauge.inFlight,
        overdue: gauge.overdue,
        oldest_ms: Math.round(gauge.oldestMs),
      };
      this.#fold(this.#inflight, timestampMs, { type: 'Inflight', value });
    });
  }

  snapshotAt(atMs: number): Snapshot {
    const offered = this.#world.offerings.filter(({ fromMs }) => fromMs <= atMs).length;
    if (offered !== this.#offered) this.#snapshot = this.#withCatalogue(this.#snapshot, atMs);
    const isMetricsDue = Math.floor(atMs / METRICS_MS) > this.#metricsMs && this.#marked.size > 0;
    if (!this.#isChanged && !isMetricsDue) return this.#snapshot;
    const metrics = isMetricsDue ? this.#writeMetrics(atMs) : this.#snapshot.metrics;
    this.#snapshot = { ...this.#snapshot, metrics, health: this.#health() };
    this.#isChanged = false;
    return this.#snapshot;
  }

  #fold(
    state: ReturnType<typeof partitionState>,
    timestampMs: number,
    decoded: FoldRecord['decoded'],
  ): void {
    const record = { offset: state.offsetNext, timestampMs, decoded };
    const { delta, counts } = foldBatch(state, [record], SETTINGS);
    if (counts.applied !== 1) throw new Error(`the fold did not take ${JSON.stringify(decoded)}`);
    for (const row of delta.rows.outcome_tick.values()) {
      this.#take(this.#ticks, 'outcome_tick', row, row[2] as string);
      this.#newestTick = Math.max(this.#newestTick, row[0] as number);
    }
    for (const row of delta.rows.outcome_minute.values()) {
      this.#take(this.#minutes, 'outcome_minute', row, row[2] as string);
      this.#marked.add(row[2] as string);
    }
    for (const row of delta.rows.inflight_tick.values()) this.#takeGauge(row);
    this.#isChanged = true;
  }

  #take(
    tables: Map<string, Map<string, Row>>,
    table: 'outcome_tick' | 'outcome_minute',
    row: Row,
    offering: string,
  ): void {
    const rows = tables.get(offering) ?? new Map<string, Row>();
    tables.set(offering, rows);
    const key = row.slice(0, TABLES[table].keys.length).join('|');
    const before = rows.get(key);
    if (before === undefined) rows.set(key, row);
    else mergeRow(table, before, row);
  }

  #takeGauge(row: Row): void {
    const { startedNow, ...sum } = gaugeOf(row);
    const started = this.#started.get(row[2] as string) ?? new Map<number, number>();
    this.#started.set(row[2] as string, started);
    started.set(row[0] as number, startedNow);
    this.#gauges.set(row[2] as string, { tick: row[0] as number, sum });
    this.#newestTick = Math.max(this.#newestTick, row[0] as number);
  }

  #health(): Snapshot['health'] {
    const newest = this.#newestTick;
    const ticks = new Map<string, TickRow[]>();
    for (const [offering, rows] of this.#ticks) {
      forget(rows, newest - TICKS);
      if (rows.size > 0) ticks.set(offering, [...rows.values()].map(tickRowOf));
    }
    const current = [...this.#gauges].filter(([, { tick }]) => tick > newest - GAUGE_TICKS);
    const inflight = new Map(
      current.map(([offering, { sum, tick }]) => {
        const byTick = this.#started.get(offering)!;
        const started = [0, 1, 2].map((age) => byTick.get(tick - age) ?? 0);
        return [offering, { ...sum, started }];
      }),
    );
    return { ticks, inflight, retryUntil: new Map(), newestTick: newest };
  }

  #writeMetrics(atMs: number): Snapshot['metrics'] {
    const metrics = new Map(this.#snapshot.metrics);
    for (const offering of this.#marked) {
      const rows = this.#minutes.get(offering)!;
      let newest = 0;
      for (const row of rows.values()) newest = Math.max(newest, row[0] as number);
      forget(rows, newest - MINUTES);
      const value: MetricsValue = {
        offering,
        minutes: [...rows.values()].map(minuteRowOf),
        latency: [],
      };
      metrics.set(offering, value);
    }
    this.#marked.clear();
    this.#metricsMs = Math.floor(atMs / METRICS_MS);
    return metrics;
  }

  #withCatalogue(snapshot: Snapshot, atMs: number): Snapshot {
    const offered = this.#world.offerings.filter(({ fromMs }) => fromMs <= atMs);
    this.#offered = offered.length;
    const offerings = offered.map((it) => catalogueOffering(it, this.#world));
    const { catalogue } = catalogueSnapshot({ models: [], aliases: {}, offerings });
    const models = new Map([[MODEL, MODEL_FACTS]]);
    return { ...snapshot, generation: 'g', state: STATE, catalogue: { ...catalogue, models } };
  }
}

const EMPTY = { models: [], aliases: {}, offerings: [] };
const LANE = { version: 1, vector: {}, writtenAtMs: Number.MAX_SAFE_INTEGER, writeId: 'w' };
const STATE = { epoch: 'e', revision: 1, writeId: 'w', lanes: { health: LANE, metrics: LANE } };
const MODEL_FACTS = {
  name: MODEL,
  display_name: MODEL,
  capabilities: [],
  context_tokens: null,
  output_tokens_max: null,
  enabled: true,
};

function outcomeOf(provider: string, seen: Seen): FoldedOutcome {
  const { status, arrival, retryAfterMs } = seen;
  return {
    event_id: EMITTER,
    occurred_at: Math.floor(EPOCH_MS + seen.endedMs),
    tenant: '',
    region: '',
    deployment: '',
    attempt: seen.attempt,
    operation: 'chat',
    model: MODEL,
    provider,
    status,
    error_type: status === 'success' ? null : status,
    http_status: null,
    stream: false,
    duration_ms: seen.durationMs,
    ttft_ms: null,
    input_tokens: arrival.inputTokens,
    output_tokens: status === 'success' ? arrival.outputTokens : null,
    cached_input_tokens: null,
    cache_write_tokens: null,
    reasoning_tokens: null,
    cost_nano_usd: null,
    retry_after_ms: retryAfterMs,
    ratelimit_remaining: null,
  };
}

function idOf(number: number): Buffer {
  const id = Buffer.alloc(16);
  id.writeUIntBE(number, 10, 6);
  return id;
}
