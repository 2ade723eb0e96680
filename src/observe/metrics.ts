import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/**
 * Every metric: name, type, meaning, labels. Labels come from bounded sets. `docs/metrics.md` is
 * made from this table.
 */
export const METRICS = {
  events: {
    name: 'airouter_projection_events_total',
    type: 'counter',
    help: 'Events read by the projector, by what became of them (applied, duplicate, dead_lettered, skipped; late and skewed are part of applied).',
    labels: ['result'],
  },
  commits: {
    name: 'airouter_projection_commits_total',
    type: 'counter',
    help: 'Commits of the projector, by result (done, moved, failed).',
    labels: ['result'],
  },
  commitSeconds: {
    name: 'airouter_projection_commit_seconds',
    type: 'histogram',
    help: 'Seconds of one commit: checkpoint and rows of one batch.',
    labels: [],
  },
  lagRecords: {
    name: 'airouter_projection_lag_records',
    type: 'gauge',
    help: 'Records of a partition that are not folded yet, by the projector that holds it: the end of the log against what was committed.',
    labels: ['topic', 'partition'],
  },
  stoppedPartitions: {
    name: 'airouter_projection_stopped_partitions',
    type: 'gauge',
    help: 'Partitions that stopped and wait for a person.',
    labels: [],
  },
  books: {
    name: 'airouter_books_events',
    type: 'gauge',
    help: 'Events of a partition by what became of them (read, applied, duplicate, dead_lettered, skipped; late is part of applied), counted again from the log and the tables every AIROUTER_BOOKS_INTERVAL_MS.',
    labels: ['topic', 'partition', 'result'],
  },
  booksClosed: {
    name: 'airouter_books_closed',
    type: 'gauge',
    help: '1 where read = applied + duplicate + dead_lettered + skipped, else 0.',
    labels: ['topic', 'partition'],
  },
  booksCountedAt: {
    name: 'airouter_books_counted_timestamp_seconds',
    type: 'gauge',
    help: 'When the books were counted last, in seconds since the epoch.',
    labels: [],
  },
  decisions: {
    name: 'airouter_decisions_total',
    type: 'counter',
    help: 'Answers of the router, by strategy and by degradation (none, stale, all_open, no_metrics, no_cache).',
    labels: ['strategy', 'degraded'],
  },
  decisionSeconds: {
    name: 'airouter_decision_seconds',
    type: 'histogram',
    help: 'Seconds of one decision, without HTTP.',
    labels: [],
  },
  snapshotAge: {
    name: 'airouter_snapshot_age_seconds',
    type: 'gauge',
    help: "Age of the router's snapshot.",
    labels: [],
  },
  refused: {
    name: 'airouter_http_refused_total',
    type: 'counter',
    help: 'Requests that were refused for who asked (unauthorized, forbidden), for how often (rate_limited), or because too much was under way (overloaded).',
    labels: ['code'],
  },
  ingestItems: {
    name: 'airouter_ingest_items_total',
    type: 'counter',
    help: 'Items that the ingest role was sent, by route and by what became of them (accepted: the log has acknowledged them; rejected: they break a rule; unavailable: the log did not acknowledge them, and they are sent again).',
    labels: ['route', 'result'],
  },
  decisionLog: {
    name: 'airouter_decision_log_total',
    type: 'counter',
    help: 'Decisions that the router gives to the log, by what became of them (delivered; refused by the ingest role; dropped: queue_full, after_close, closed).',
    labels: ['result'],
  },
  published: {
    name: 'airouter_publisher_outcomes_total',
    type: 'counter',
    help: 'Outcomes given to the publisher, by what became of them.',
    labels: ['result'],
  },
} as const;

type MetricKey = keyof typeof METRICS;
type KeysOf<T extends string> = {
  [K in MetricKey]: (typeof METRICS)[K]['type'] extends T ? K : never;
}[MetricKey];

/** The metrics of one process, in one registry. */
export interface Metrics {
  registry: Registry;
  counter(key: KeysOf<'counter'>): Counter;
  gauge(key: KeysOf<'gauge'>): Gauge;
  histogram(key: KeysOf<'histogram'>): Histogram;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'airouter_' });
  const made = new Map<MetricKey, Counter | Gauge | Histogram>();
  for (const [key, metric] of Object.entries(METRICS)) {
    const options = {
      name: metric.name,
      help: metric.help,
      labelNames: [...metric.labels],
      registers: [registry],
    };
    made.set(key as MetricKey, makeMetric(metric.type, options));
  }
  return {
    registry,
    counter: (key) => made.get(key) as Counter,
    gauge: (key) => made.get(key) as Gauge,
    histogram: (key) => made.get(key) as Histogram,
  };
}

function makeMetric(
  type: 'counter' | 'gauge' | 'histogram',
  options: { name: string; help: string; labelNames: string[]; registers: Registry[] },
): Counter | Gauge | Histogram {
  switch (type) {
    case 'counter':
      return new Counter(options);
    case 'gauge':
      return new Gauge(options);
    case 'histogram':
      // From 10 µs, a decision, to 10 s, a commit that hangs.
      return new Histogram({
        ...options,
        buckets: [0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      });
  }
}
