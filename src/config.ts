import { AiRouterError } from './errors.js';

/**
 * Every setting: name, default, rule, reason. Read once from the environment, checked, frozen.
 * The only reader of `process.env`. `docs/settings.md` is made from this table.
 */
interface Setting<T> {
  name: string;
  /** Text as it would stand in the environment; null = unset by default. */
  fallback: string | null;
  parse: (text: string) => T | Broken;
  /** The rule in words, as `PORT must be <rule>`. */
  rule: string;
  doc: string;
  secret?: true;
}

/** A text that breaks its rule; the brand keeps it apart from every other type. */
class Broken {
  readonly isBroken = true;
}
const BROKEN = new Broken();

const integer =
  (min: number, max: number) =>
  (text: string): number | Broken => {
    const value = Number(text);
    return /^-?\d+$/.test(text) && value >= min && value <= max ? value : BROKEN;
  };
const ratio = (text: string): number | Broken =>
  /^(0|1|0?\.\d+|1\.0+|0\.\d+)$/.test(text) ? Number(text) : BROKEN;
const text = (value: string): string | Broken => (value === '' ? BROKEN : value);
const matching =
  (pattern: RegExp) =>
  (value: string): string | Broken =>
    pattern.test(value) ? value : BROKEN;
const oneOf =
  <T extends string>(...values: T[]) =>
  (value: string): T | Broken =>
    values.find((candidate) => candidate === value) ?? BROKEN;
/** Clients parse it again, and what they say of a broken one may hold the password. */
const url =
  (...schemes: string[]) =>
  (value: string): string | Broken => {
    try {
      const { username, password } = new URL(value);
      decodeURIComponent(`${username}${password}`);
      return schemes.some((scheme) => value.startsWith(`${scheme}://`)) ? value : BROKEN;
    } catch {
      return BROKEN;
    }
  };
const urls =
  (...schemes: string[]) =>
  (value: string): string[] | Broken => {
    const items = value.split(',');
    return items.every((item) => !(url(...schemes)(item) instanceof Broken)) ? items : BROKEN;
  };
const list = (value: string): string[] | Broken => {
  const items = value.split(',').map((item) => item.trim());
  return items.every((item) => item !== '') ? items : BROKEN;
};

function required<T>(
  name: string,
  fallback: string,
  parse: (text: string) => T | Broken,
  rule: string,
  doc: string,
): Setting<T> & { fallback: string } {
  return { name, fallback, parse, rule, doc };
}

function optional<T>(
  name: string,
  parse: (text: string) => T | Broken,
  rule: string,
  doc: string,
  secret = false,
): Setting<T> & { fallback: null } {
  return secret
    ? { name, fallback: null, parse, rule, doc, secret: true }
    : { name, fallback: null, parse, rule, doc };
}

export const SETTINGS = {
  // The edge
  port: required(
    'PORT',
    '8080',
    integer(0, 65535),
    'an integer of 0..65535',
    'Port of the HTTP server; 0 takes a free one.',
  ),
  host: required(
    'HOST',
    '127.0.0.1',
    text,
    'a host name or address',
    'Address that the HTTP server listens on.',
  ),
  logLevel: required(
    'LOG_LEVEL',
    'info',
    oneOf('fatal', 'error', 'warn', 'info', 'debug', 'silent'),
    'one of fatal, error, warn, info, debug, silent',
    'Least level that is logged.',
  ),
  keysFile: optional(
    'AIROUTER_KEYS_FILE',
    text,
    'a path',
    'File of access keys (airouter keys create), read again when it changes; without it only programs on this machine are served.',
  ),
  apiKey: optional(
    'AIROUTER_KEY',
    matching(/^air_[0-9a-f]{12}_[0-9a-f]{64}$/),
    'a key that `airouter keys create` made',
    'Key that this process shows to others: a router to the ingest role, `load` to a router.',
    true,
  ),
  overloadDelayMs: required(
    'AIROUTER_OVERLOAD_DELAY_MS',
    '1000',
    integer(0, 60_000),
    'an integer of 0..60000',
    'Mean delay of the event loop, over a second, from which requests are refused as overloaded: load alone makes some 100 ms at most, a process that stands still more. 0 = never.',
  ),
  overloadMemoryBytes: required(
    'AIROUTER_OVERLOAD_MEMORY_BYTES',
    '0',
    integer(0, 1_099_511_627_776),
    'an integer of 0..1099511627776',
    'Resident memory from which requests are refused as overloaded, below the limit of the container; 0 = never.',
  ),

  // Where the parts are; unset = embedded
  kafkaBrokers: optional('KAFKA_BROKERS', list, 'host:port, comma separated', 'Kafka as the log.'),
  kafkaSsl: required(
    'KAFKA_SSL',
    'false',
    oneOf('true', 'false'),
    'true or false',
    "TLS to Kafka, checked against the system's authorities and those of `NODE_EXTRA_CA_CERTS`.",
  ),
  kafkaSaslMechanism: optional(
    'KAFKA_SASL_MECHANISM',
    oneOf('plain', 'scram-sha-256', 'scram-sha-512'),
    'plain, scram-sha-256 or scram-sha-512',
    'SASL mechanism of Kafka.',
  ),
  kafkaSaslUsername: optional('KAFKA_SASL_USERNAME', text, 'a name', 'SASL user of Kafka.'),
  kafkaSaslPassword: optional(
    'KAFKA_SASL_PASSWORD',
    text,
    'a password',
    'SASL password of Kafka.',
    true,
  ),
  databaseUrl: optional(
    'DATABASE_URL',
    url('postgres', 'postgresql'),
    'a postgres:// URL',
    'Postgres for the projections, and for the embedded log.',
    true,
  ),
  databaseReadUrl: optional(
    'DATABASE_READ_URL',
    url('postgres', 'postgresql'),
    'a postgres:// URL',
    "A replica for analysts' reads. Without effect yet: no command has such reads; what is counted is read on the primary.",
    true,
  ),
  databasePoolSize: required(
    'DB_POOL_SIZE',
    '25',
    integer(2, 1000),
    'an integer of 2..1000',
    'Connections to Postgres that are kept.',
  ),
  databasePoolOverflow: required(
    'DB_MAX_OVERFLOW',
    '50',
    integer(0, 1000),
    'an integer of 0..1000',
    'Connections to Postgres beyond the kept ones under load.',
  ),
  redisUrl: optional(
    'REDIS_URL',
    urls('redis', 'rediss'),
    'redis:// or rediss:// URLs, comma separated',
    'Redis for the hot keys; several nodes mean Redis Cluster.',
    true,
  ),
  redisPoolSize: required(
    'REDIS_POOL_SIZE',
    '10',
    integer(1, 100),
    'an integer of 1..100',
    'Accepted where a deployment sets it, and without effect: a process has one read and two writes in flight at most, and one connection carries them.',
  ),
  schemaRegistryUrl: optional(
    'SCHEMA_REGISTRY_URL',
    url('http', 'https'),
    'an http(s) URL',
    'Registry for schema ids of others.',
    true,
  ),
  ingestUrl: optional(
    'AIROUTER_INGEST_URL',
    url('http', 'https'),
    'an http(s) URL',
    'Where the router hands its decisions.',
    true,
  ),

  // The product
  namespace: required(
    'AIROUTER_NAMESPACE',
    '',
    matching(/^([a-z][a-z0-9_]{0,19})?$/),
    'empty or [a-z][a-z0-9_]{0,19}',
    'Prefix of topics, schemas and keys: one installation can hold several products.',
  ),
  dataDir: required(
    'AIROUTER_DATA_DIR',
    '.airouter',
    text,
    'a path',
    'Folder of the embedded parts.',
  ),
  partitions: required(
    'AIROUTER_PARTITIONS',
    '6',
    integer(1, 512),
    'an integer of 1..512',
    'Partitions of outcomes, decisions, inflight and summaries when the topics are created.',
  ),
  keysMax: required(
    'AIROUTER_KEYS_MAX',
    '10000',
    integer(1, 1_000_000),
    'an integer of 1..1000000',
    'Most offerings, and most usage keys, a partition and day; others fold into `other`.',
  ),
  decisionLog: required(
    'AIROUTER_DECISION_LOG',
    '1',
    ratio,
    'a number of 0..1',
    'Share of decisions that is logged, by hash of the decision id.',
  ),

  // Limits, each with its reason
  pollIntervalMs: required(
    'AIROUTER_POLL_INTERVAL_MS',
    '50',
    integer(1, 10_000),
    'an integer of 1..10000',
    'How often the router polls the hot keys: half of the freshness that users are promised at most.',
  ),
  staleAfterMs: required(
    'AIROUTER_STALE_AFTER_MS',
    '10000',
    integer(100, 3_600_000),
    'an integer of 100..3600000',
    'Age of the snapshot from which an answer says `stale`: two ticks.',
  ),
  fetchBytesMax: required(
    'AIROUTER_FETCH_BYTES_MAX',
    '1048576',
    integer(65_536, 67_108_864),
    'an integer of 65536..67108864',
    'Bytes of one fetch of a partition: larger ones only cost memory.',
  ),
  sessionTimeoutMs: required(
    'AIROUTER_SESSION_TIMEOUT_MS',
    '15000',
    integer(6_000, 300_000),
    'an integer of 6000..300000',
    'A projector that Kafka does not hear of for so long loses its partitions to others: far above its pauses, and as long as a killed one holds them up. Brokers take no less than 6 s by default.',
  ),
  projectPort: optional(
    'AIROUTER_PROJECT_PORT',
    integer(0, 65535),
    'an integer of 0..65535',
    'Port on which `airouter project` answers /healthz and /metrics; 0 takes a free one, unset: it does not listen.',
  ),
  booksIntervalMs: required(
    'AIROUTER_BOOKS_INTERVAL_MS',
    '0',
    integer(0, 86_400_000),
    'an integer of 0..86400000',
    'How often a projector counts the books again for its metrics, from the log and the tables; 0 = never: it reads the whole log once more, at first from its start.',
  ),
  watchdogMs: required(
    'AIROUTER_WATCHDOG_MS',
    '60000',
    integer(5_000, 3_600_000),
    'an integer of 5000..3600000',
    'A projector that is behind and gives no sign of life for so long begins its reading anew, and ends for its supervisor if that changes nothing: above every wait of a batch that goes well.',
  ),
  tickRetentionMinutes: required(
    'AIROUTER_TICK_RETENTION_MINUTES',
    '120',
    integer(10, 10_080),
    'an integer of 10..10080',
    'How long 5 s ticks are kept.',
  ),
  minuteRetentionDays: required(
    'AIROUTER_MINUTE_RETENTION_DAYS',
    '30',
    integer(1, 3650),
    'an integer of 1..3650',
    'How long minute rows are kept.',
  ),
  publishQueueMax: required(
    'AIROUTER_PUBLISH_QUEUE_MAX',
    '100000',
    integer(1, 10_000_000),
    'an integer of 1..10000000',
    'Outcomes that a publisher holds in memory: about 100 MB; beyond it they are spooled or dropped and counted.',
  ),
  publishLingerMs: required(
    'AIROUTER_PUBLISH_LINGER_MS',
    '50',
    integer(0, 60_000),
    'an integer of 0..60000',
    'How long an outcome waits for company: a batch costs the log what one record costs.',
  ),
  spoolDir: optional(
    'AIROUTER_SPOOL_DIR',
    text,
    'a path',
    'Folder where a publisher keeps batches while the log is away.',
  ),
  spoolBytesMax: required(
    'AIROUTER_SPOOL_BYTES_MAX',
    '1073741824',
    integer(1_048_576, 1_099_511_627_776),
    'an integer of 1048576..1099511627776',
    'Bytes of the spool; beyond it outcomes are dropped and counted.',
  ),
  ingestBytesMax: required(
    'AIROUTER_INGEST_BYTES_MAX',
    '67108864',
    integer(1_048_576, 68_719_476_736),
    'an integer of 1048576..68719476736',
    'Bytes of bodies that the ingest role reads or waits on at once, and as many of what waits for the log: requests beyond it are refused, to be sent again. Parsed they take a few times as much memory.',
  ),
  ingestTimeoutMs: required(
    'AIROUTER_INGEST_TIMEOUT_MS',
    '5000',
    integer(100, 60_000),
    'an integer of 100..60000',
    "How long a request to the ingest role waits for the log's acknowledgement: longer than a change of a partition's leader takes, and less than callers wait (10 s).",
  ),
  statementTimeoutMs: required(
    'AIROUTER_STATEMENT_TIMEOUT_MS',
    '30000',
    integer(100, 3_600_000),
    'an integer of 100..3600000',
    'Longest statement of the projector.',
  ),
  lockTimeoutMs: required(
    'AIROUTER_LOCK_TIMEOUT_MS',
    '5000',
    integer(10, 600_000),
    'an integer of 10..600000',
    'Longest wait for a lock in Postgres.',
  ),
  shutdownTimeoutMs: required(
    'AIROUTER_SHUTDOWN_TIMEOUT_MS',
    '5000',
    integer(100, 600_000),
    'an integer of 100..600000',
    'Longest orderly stop; then the process ends.',
  ),
} as const satisfies Record<string, Setting<unknown>>;

type ValueOf<S> = S extends { parse: (text: string) => infer R; fallback: infer F }
  ? Exclude<R, Broken> | (F extends null ? null : never)
  : never;

export type Config = { readonly [K in keyof typeof SETTINGS]: ValueOf<(typeof SETTINGS)[K]> };

/**
 * The settings of an environment, checked; `overrides` stand over it (a command's own options).
 * Throws `invalid_setting` with name, rule and value, also for an unknown `AIROUTER_…` name.
 */
export function loadConfig(
  environment: Readonly<Record<string, string | undefined>>,
  overrides: Partial<Config> = {},
): Config {
  const known = new Set<string>(Object.values(SETTINGS).map((setting) => setting.name));
  for (const name of Object.keys(environment)) {
    if (name.startsWith('AIROUTER_') && !known.has(name)) {
      throw new AiRouterError('invalid_setting', `${name} is not a setting; see docs/settings.md`, {
        field: name,
        rule: 'known setting',
      });
    }
  }
  const entries = Object.entries(SETTINGS).map(([key, setting]) => [
    key,
    settingValue(setting as Setting<unknown>, environment[setting.name]),
  ]);
  return Object.freeze({ ...(Object.fromEntries(entries) as Config), ...overrides });
}

function settingValue(setting: Setting<unknown>, given: string | undefined): unknown {
  const raw = given === undefined || given === '' ? setting.fallback : given;
  if (raw === null) return null;
  const value = setting.parse(raw);
  if (value instanceof Broken) {
    const shown = setting.secret ? 'a value that is not' : JSON.stringify(raw);
    throw new AiRouterError(
      'invalid_setting',
      `${setting.name} must be ${setting.rule}, got ${shown}`,
      { field: setting.name, rule: setting.rule },
    );
  }
  return value;
}

/** Settings as lines for people and programs, secrets hidden. */
export function describeConfig(config: Config): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(SETTINGS).map(([key, setting]) => {
      const value = config[key as keyof Config];
      return [setting.name, 'secret' in setting && value !== null ? '(hidden)' : value];
    }),
  );
}
