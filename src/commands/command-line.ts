import type { Command } from 'commander';
import type { CommandContext } from './context.js';

type Run = (context: CommandContext, options: Record<string, unknown>) => Promise<void>;

/** Adds a command: its name, what it does, and where it is. */
export type AddCommand = (
  name: string,
  description: string,
  load: () => Promise<{ run: Run }>,
) => Command;

/**
 * Names and arguments. Each command is a module of its own, loaded when it is called, so that the
 * router loads neither Postgres nor Kafka.
 */
export function addCommands(add: AddCommand): void {
  addRoles(add);
  addLoad(add);
  addProofs(add);
  addTools(add);
  addSettings(add);
}

/** What runs until it is stopped. */
function addRoles(add: AddCommand): void {
  add('all', 'ingest, project and route in one process', () => import('./all.js'));
  add('ingest', 'take outcomes over HTTP into the log', () => import('./ingest.js'));
  add('project', 'fold the log into projections and hot keys', () => import('./project.js'));
  add('route', 'answer from the hot keys', () => import('./route.js')).option(
    '--virtual-seed <n>',
    'decide in virtual time: for `load --closed-loop` only',
  );
  add('demo', 'a closed loop on real arrivals: publish, fold, route', () => import('./demo.js'))
    .option('--once', 'end when the last outcome is folded')
    .option('--seed <n>', 'seed of everything that is drawn', '1')
    .option('--minutes <n>', 'only the first minutes of the arrivals')
    .option('--external-projector', 'wait for `airouter project --namespace …`');
}

/** A load on what runs elsewhere. */
function addLoad(add: AddCommand): void {
  add('load', 'made-up outcomes at a constant rate, measured', () => import('./load.js'))
    .option('--rate <n>', 'outcomes a second (1000)')
    .option('--seconds <n>', 'how long (60)')
    .option('--route', 'with as many requests to a router')
    .option('--url <url>', 'of the router; that of the data folder without it')
    .option('--seed <n>', 'seed of everything that is drawn', '1')
    .option('--closed-loop', "the demo's loop, with projectors and router started elsewhere")
    .option('--virtual', 'in virtual time')
    .option('--minutes <n>', 'only the first minutes of the arrivals');
}

/** What is asked of the projection and of the log. */
function addProofs(add: AddCommand): void {
  add('verify', 'count everything again: books, checksum, hot keys', () => import('./verify.js'));
  add('lag', 'how far the projection is behind the log, by partition', () => import('./lag.js'));
  add(
    'rebuild',
    'fold the whole log again, compare with what is live, take its place',
    () => import('./rebuild.js'),
  )
    .option('--no-swap', 'only compare')
    .option('--dry-run', 'only compare')
    .option('--repair', 'take its place also where they differ');
  add(
    'topic',
    'a topic of the log: `topic cat TOPIC` (its records), `topic stats TOPIC` (how many)',
    () => import('./topic.js'),
  )
    .argument('<action>', 'cat or stats')
    .argument(
      '<topic>',
      'outcomes, decisions, inflight, summaries, catalogue, policies, schemas, dlq or a full name',
    )
    .option('--partition <n>', 'only this partition')
    .option('--from <offset>', 'of `cat`: from this offset on (0)');
}

/** What adds to the log, or changes where it is kept. */
function addTools(add: AddCommand): void {
  add(
    'catalogue',
    'import the catalogue: `catalogue import [FILE]`',
    () => import('./catalogue.js'),
  )
    .argument('<action>', 'import')
    .argument('[file]', 'a JSON document; the built-in catalogue without it');
  add(
    'policy',
    'routing policies: `policy apply FILE`, `policy list`, `policy show NAME`, `policy remove NAME`',
    () => import('./policy.js'),
  )
    .argument('<action>', 'apply, list, show or remove')
    .argument('[what]', 'a JSON document, or the name of a policy');
  add(
    'dlq',
    'dead letters: `dlq list`, `dlq show PLACE`, `dlq replay`, `dlq discard PLACE…`, `dlq allow`',
    () => import('./dlq.js'),
  )
    .argument('<action>', 'list, show, replay, discard or allow')
    .argument('[places...]', 'topic/partition/offset/index, as `dlq list` shows them')
    .option('--place <place>', 'replay only this')
    .option('--all', 'discard all that wait, with --code')
    .option('--code <code>', 'that the discarded ones were parked by')
    .option('--topic <name>', 'of the partition that goes on', 'outcomes')
    .option('--partition <n>', 'the partition that goes on')
    .option('--to <offset>', 'let undecodable records below this offset pass');
  add(
    'schemas',
    "other producers' schemas: `schemas list`, `schemas register FILE`",
    () => import('./schemas.js'),
  )
    .argument('<action>', 'list or register')
    .argument('[file]', 'an Avro schema in JSON')
    .option('--id <n>', 'register it under this id, that of a registry');
  add('topics', 'topics of Kafka: `topics create [--single-node]`', () => import('./topics.js'))
    .argument('<action>', 'create')
    .option('--single-node', 'accept topics with one copy');
  add(
    'projection',
    'versions of the projection: `projection list`, `projection use VERSION`, `projection finalize`',
    () => import('./projection.js'),
  )
    .argument('<action>', 'list, use or finalize')
    .argument('[version]', 'that readers are pointed at');
  add(
    'migrate',
    'bring the schemas of DATABASE_URL up to date, as their owner',
    () => import('./migrate.js'),
  );
}

/** What processes are told before they start. */
function addSettings(add: AddCommand): void {
  add(
    'keys',
    'access keys: `keys create`, `keys list`, `keys revoke ID`',
    () => import('./keys.js'),
  )
    .argument('<action>', 'create, list or revoke')
    .argument('[id]', 'of the key that is revoked')
    .option('--tenant <name>', 'whose key it is')
    .option('--all-tenants', 'a key that speaks for every tenant, as that of a router does')
    .option('--scope <scopes>', 'of route, ingest, analyst, admin; comma separated')
    .option('--expires-days <n>', 'for how long it is good; for ever without it')
    .option('--requests-per-second <n>', 'its limit at each process; none without it');
  add('config', 'the settings in force, secrets hidden', () => import('./config.js'));
}
