import { STATUSES } from '../event/outcome.js';

/**
 * The tables of a projection version: what the fold produces, and how a new row is merged with the
 * one that is stored. SQL, checksums and reference pages are made from these descriptors.
 * Each row carries its log partition, so that one writer has it.
 */
export type ColumnType = 'int4' | 'int8' | 'numeric' | 'text' | 'bool' | 'histogram';

/**
 * - `sum`: added. `max`, `min`: greatest, least; null gives way.
 * - `last`: the later record of the partition replaces the earlier one.
 * - `histogram`: bucket counts, added.
 */
export type Merge = 'sum' | 'max' | 'min' | 'last' | 'histogram';

export interface KeyColumn {
  name: string;
  type: ColumnType;
}

export interface ValueColumn extends KeyColumn {
  merge: Merge;
}

export interface Table {
  name: string;
  keys: readonly KeyColumn[];
  values: readonly ValueColumn[];
  /** The topic that it is folded from. */
  source: 'outcomes' | 'inflight' | 'summaries' | 'catalogue' | 'policies';
  /** Which time column the storage is cut by and which retention it follows. */
  time: 'tick' | 'minute' | null;
}

const key = (name: string, type: ColumnType): KeyColumn => ({ name, type });
const sum = (name: string, type: ColumnType = 'int8'): ValueColumn => ({
  name,
  type,
  merge: 'sum',
});
const last = (name: string, type: ColumnType): ValueColumn => ({ name, type, merge: 'last' });

const counts = ['events', ...STATUSES].map((name) => sum(name));
const pace = ['pace_count', 'pace_sum', 'pace_square_sum'].map((name) => sum(name));
/** Of fold/reference.ts, with its products with the pace: what a regression of pace on it needs. */
const generation = ['generation_sum', 'generation_square_sum', 'generation_pace_sum'].map((name) =>
  sum(name),
);
// Tokens and money may each be near 2^53: their sums need more than 64 bits in the worst case.
const known = (name: string): ValueColumn[] => [sum(`${name}_known`), sum(name, 'numeric')];

const partition = key('partition', 'int4');
const minute = key('minute', 'int4');
const tick = key('tick', 'int4');
const series = [key('operation', 'text'), key('stream', 'bool'), key('fallback', 'bool')];

export const TABLES = {
  outcome_tick: {
    name: 'outcome_tick',
    source: 'outcomes',
    time: 'tick',
    keys: [
      tick,
      partition,
      key('offering', 'text'),
      key('stream', 'bool'),
      key('fallback', 'bool'),
    ],
    values: [
      ...counts,
      ...pace,
      { name: 'retry_until_ms', type: 'int8', merge: 'max' },
      { name: 'ratelimit_remaining', type: 'int8', merge: 'min' },
      ...generation,
    ],
  },
  inflight_tick: {
    name: 'inflight_tick',
    source: 'inflight',
    time: 'tick',
    keys: [tick, partition, key('offering', 'text'), key('emitter', 'text')],
    values: [
      last('started', 'int8'),
      last('in_flight', 'int8'),
      last('overdue', 'int8'),
      last('oldest_ms', 'int8'),
    ],
  },
  outcome_minute: {
    name: 'outcome_minute',
    source: 'outcomes',
    time: 'minute',
    keys: [minute, partition, key('offering', 'text'), ...series],
    values: [
      ...counts,
      ...pace,
      ...known('input_tokens'),
      ...known('output_tokens'),
      ...generation,
    ],
  },
  latency_minute: {
    name: 'latency_minute',
    source: 'outcomes',
    time: 'minute',
    keys: [minute, partition, key('offering', 'text'), ...series, key('metric', 'text')],
    values: [
      sum('observations'),
      sum('total'),
      sum('censored'),
      { name: 'histogram', type: 'histogram', merge: 'histogram' },
    ],
  },
  usage_minute: {
    name: 'usage_minute',
    source: 'outcomes',
    time: 'minute',
    keys: [
      minute,
      partition,
      key('tenant', 'text'),
      key('model', 'text'),
      key('provider', 'text'),
      key('deployment', 'text'),
      key('operation', 'text'),
      key('input_class', 'int4'),
    ],
    values: [
      sum('events'),
      ...known('cost_nano_usd'),
      sum('uncosted_events'),
      sum('uncosted_input_unknown'),
      sum('uncosted_output_unknown'),
      sum('uncosted_input_tokens', 'numeric'),
      sum('uncosted_cached_input_tokens', 'numeric'),
      sum('uncosted_cache_write_tokens', 'numeric'),
      sum('uncosted_output_tokens', 'numeric'),
      sum('uncosted_reasoning_tokens', 'numeric'),
    ],
  },
  outcome_error_minute: {
    name: 'outcome_error_minute',
    source: 'outcomes',
    time: 'minute',
    keys: [
      minute,
      partition,
      key('offering', 'text'),
      key('status', 'text'),
      key('error_type', 'text'),
      key('http_status', 'int4'),
    ],
    values: [sum('events')],
  },
  summary_minute: {
    name: 'summary_minute',
    source: 'summaries',
    time: 'minute',
    keys: [
      minute,
      partition,
      key('tenant', 'text'),
      key('model', 'text'),
      key('provider', 'text'),
      key('deployment', 'text'),
      key('region', 'text'),
    ],
    values: [
      sum('summaries'),
      sum('total_requests', 'numeric'),
      ...known('successful_requests'),
      ...known('failed_requests'),
      ...known('duration_ms_weighted'),
      ...known('cost_nano_usd'),
      ...known('total_tokens'),
    ],
  },
  model: {
    name: 'model',
    source: 'catalogue',
    time: null,
    keys: [partition, key('name', 'text')],
    values: [
      last('display_name', 'text'),
      last('capabilities', 'text'),
      last('context_tokens', 'int8'),
      last('output_tokens_max', 'int8'),
      last('enabled', 'bool'),
    ],
  },
  provider: {
    name: 'provider',
    source: 'catalogue',
    time: null,
    keys: [partition, key('name', 'text')],
    values: [last('display_name', 'text'), last('enabled', 'bool')],
  },
  offering: {
    name: 'offering',
    source: 'catalogue',
    time: null,
    keys: [partition, key('offering', 'text')],
    values: [
      last('model', 'text'),
      last('provider', 'text'),
      last('deployment', 'text'),
      last('region', 'text'),
      last('call_as', 'text'),
      last('capabilities', 'text'),
      last('context_tokens', 'int8'),
      last('output_tokens_max', 'int8'),
      last('requests_per_minute', 'int8'),
      last('tokens_per_minute', 'int8'),
      last('weight', 'int4'),
      last('priority', 'int4'),
      last('enabled', 'bool'),
    ],
  },
  alias: {
    name: 'alias',
    source: 'catalogue',
    time: null,
    keys: [partition, key('name', 'text')],
    values: [last('model', 'text')],
  },
  price: {
    name: 'price',
    source: 'catalogue',
    time: null,
    keys: [
      partition,
      key('model', 'text'),
      key('provider', 'text'),
      key('deployment', 'text'),
      key('valid_from', 'int8'),
    ],
    values: [last('source', 'text'), last('tiers', 'text')],
  },
  policy: {
    name: 'policy',
    source: 'policies',
    time: null,
    keys: [partition, key('name', 'text')],
    values: [last('document', 'text'), last('hash', 'text')],
  },
} as const satisfies Record<string, Table>;

export type TableName = keyof typeof TABLES;
export const TABLE_NAMES = Object.keys(TABLES).sort() as TableName[];
