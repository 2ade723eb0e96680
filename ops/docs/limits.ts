import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { SETTINGS } from '../../src/config.js';
import { packageRoot } from '../../src/package-root.js';
import { markdownTable } from './markdown.js';

/** A bound that no setting changes: a constant of the product, beside what it bounds. */
export interface Limit {
  name: string;
  /** From the package's folder, with slashes. */
  path: string;
  value: string;
  /** The comment above it, or above the group that it stands in; empty where there is none. */
  reason: string;
}

/** How constants that bound a queue, a buffer, a retry or a wait are called. */
const NAME =
  /(?:_MAX|_MS|_SECONDS|_BYTES|_SIZE|_KEPT|_RETRY|_A_[A-Z]+|LANES|TRIES|SOCKETS|RECONNECT)$/;

/** Called so, and no bound: units of time, layouts of bytes, and numbers of formulas. */
const NO_LIMIT =
  /(?:^|_)(?:MS_A_[A-Z]+|DAY_MS|MINUTE_MS|TICK_MS|STEP_MS|WINDOW_MS|EPSILON_MS|LINE_BYTES|HEADER_BYTES|FIXED_BYTES|PREFIX_BYTES|ABORTED_BYTES|HEAD_BYTES|CRC_BYTES|ID_BYTES|SECRET_BYTES|PUBLISHER_BYTES|TTL_SECONDS|BLOCK_SECONDS)$/;
const NO_LIMIT_FOLDERS = ['src/demo/', 'src/load/', 'src/route/dashboard/page/', 'src/route/docs/'];
/** Files, and the folder, whose numbers are of formulas and encodings. */
const FORMULAS = [
  ...['checks', 'encode', 'record-time', 'uuid', 'walk'].map((name) => `src/event/${name}.ts`),
  ...['arithmetic', 'breaker', 'change', 'estimate', 'evidence', 'in-flight', 'latency'].map(
    (name) => `src/route/${name}.ts`,
  ),
  ...['load-slope', 'policy-check', 'window'].map((name) => `src/route/${name}.ts`),
  'src/catalogue/decimal.ts',
  'src/fold/histogram.ts',
  'src/route/strategies/',
];

const DECLARED = /^(?:export )?const ([A-Z][A-Z0-9_]*)(?:: [\w<>]+)? = ([^;]+);/;

/** Every limit of the product, by path and place. */
export function readLimits(): Limit[] {
  const files = readdirSync(join(packageRoot, 'src'), { recursive: true, encoding: 'utf8' });
  return files
    .map((file) => `src/${file.split(sep).join('/')}`)
    .filter((path) => path.endsWith('.ts') && !FORMULAS.some((formula) => path.startsWith(formula)))
    .filter((path) => !NO_LIMIT_FOLDERS.some((folder) => path.startsWith(folder)))
    .sort()
    .flatMap((path) => limitsIn(path, readFileSync(join(packageRoot, path), 'utf8')));
}

/** The limits of one file. */
export function limitsIn(path: string, text: string): Limit[] {
  const limits: Limit[] = [];
  let comment: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const said = /^(?:\/\*\*| \*\/| \*|\/\/) ?(.*?)(?: ?\*\/)?$/.exec(line);
    if (said !== null) {
      comment.push(said[1]!);
      continue;
    }
    const reason = comment.join(' ').replaceAll(/\s+/g, ' ').trim();
    comment = [];
    const declared = DECLARED.exec(
      text
        .split('\n')
        .slice(index, index + 8)
        .join('\n'),
    );
    if (declared === null) continue;
    const [, name, value] = declared as unknown as [string, string, string];
    if (!NAME.test(name) || NO_LIMIT.test(name) || !/\d/.test(value)) continue;
    limits.push({ name, path, value: value.replaceAll(/\s+/g, ' '), reason });
  }
  return limits;
}

/** Settings that bound something, by how they are called. */
const BOUNDING = /_(?:MAX|MS|BYTES|SIZE|OVERFLOW|DAYS|MINUTES)(?:_MAX)?$/;

const FOLDERS: Readonly<Record<string, string>> = {
  publish: 'Publishing',
  client: 'The client',
  ingest: 'Writing over HTTP',
  log: 'The log',
  event: 'Events',
  fold: 'The fold',
  project: 'The projection',
  hotkeys: 'Hot keys',
  route: 'The router',
  access: 'Access',
  catalogue: 'The catalogue',
  replay: 'Rebuilding and verifying',
  database: 'Postgres',
  roles: 'Roles',
  observe: 'The log of the process',
  commands: 'Commands',
};

/** docs/limits.md, from the constants beside what they bound, and from the settings. */
export function renderLimits(): string {
  const limits = readLimits();
  const folderOf = ({ path }: Limit): string => path.split('/').slice(1, -1)[0] ?? '';
  const section = (title: string, own: readonly Limit[]): string =>
    `### ${title}\n\n${markdownTable(['Limit', 'Value', 'Why'], own.map(rowOf))}\n`;
  const settings = Object.values(SETTINGS).filter(({ name }) => BOUNDING.test(name));
  const known = Object.entries(FOLDERS).map(([folder, title]) =>
    section(
      title,
      limits.filter((limit) => folderOf(limit) === folder),
    ),
  );
  const others = limits.filter((limit) => !(folderOf(limit) in FOLDERS));
  return `# Limits

Every queue, buffer, wait and pause between tries has a bound. Those that depend on where AiRouter
runs are settings. The others follow from something else in the product or from what it talks to:
each stands in the code beside what it bounds, with its reason, and here. What is beyond a bound is
refused, dropped and counted, or tried again; [faults.md](faults.md) says which.

## Settings that bound something

${markdownTable(
  ['Name', 'Default', 'What it bounds'],
  settings.map(({ name, fallback, doc }) => [`\`${name}\``, `\`${fallback ?? 'unset'}\``, doc]),
)}

The rules that their values must keep are in [settings.md](settings.md).

## Limits in the code

Times are in milliseconds where the name ends in \`MS\`.

${[...known, section('All of them', others)].join('\n')}
## What has no number

${UNNUMBERED}`;
}

const rowOf = ({ name, path, value, reason }: Limit): string[] => [
  `[\`${name}\`](../${path})`,
  `\`${value}\``,
  reason,
];

const UNNUMBERED = `- **How often a service tries again.** Its pauses are bounded, their number is not: a projector, a
  writer or a router whose Postgres, Kafka or Redis is away goes on trying until it is back or the
  process is stopped, says so once, and shows it in \`/readyz\` and in its metrics.
- **Partitions.** Lanes, feeds, readers and their state exist once a partition; there are as many as
  the topics have.
- **Rows.** The tables hold a row for each publisher heard in the last 30 days of record time and
  partition, and for each parked place. What reads them has bounds of its own.
- **Commands for dead letters.** \`dlq list\` holds what is parked of one partition in memory, without
  its bytes; \`replay\` and \`discard\` of all that waits hold the places of it, with their reasons.
- **Migrations.** A statement of a migration takes as long as it takes; it runs in one transaction.
`;
