#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import { type CommandContext, Interruption } from './commands/context.js';
import { loadConfig } from './config.js';
import { type AiRouterError, asAiRouterError, ERRORS } from './errors.js';
import { createLogger } from './observe/logger.js';
import { packageVersion } from './package-root.js';

/**
 * The command line: names, arguments and exit codes; each command is a module of its own, loaded
 * when it is called, so that the router loads neither Postgres nor Kafka. The only reader of the
 * environment.
 */
type Run = (context: CommandContext, options: Record<string, unknown>) => Promise<void>;

/** They hold what others rely on: the first signal stops them in order. Others end at once. */
const STOPPED_IN_ORDER: ReadonlySet<string> = new Set([
  'all',
  'ingest',
  'project',
  'route',
  'demo',
  'load',
]);

const stopping = new AbortController();
process.exitCode = await main(process.argv);
// What did not stop in time does not keep the process.
setTimeout(() => process.exit(), 100).unref();

async function main(argv: readonly string[]): Promise<number> {
  const program = createProgram();
  endOnDefects();
  endWithReader();
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof Interruption) return error.exitCode;
    return report(asAiRouterError(error));
  }
}

function createProgram(): Command {
  const program = new Command('airouter')
    .description(
      'Decides where the next AI request should go, from what happened to the last ones.',
    )
    .version(packageVersion())
    .exitOverride()
    .configureHelp({ showGlobalOptions: true });
  const add: Add = (name, description, load) =>
    program
      .command(name)
      .description(description)
      .addOption(new Option('--json', 'answer as one JSON object on the last line'))
      .addOption(new Option('--namespace <name>', 'the namespace to work in'))
      .action(async (...args: unknown[]) => {
        const command = args.at(-1) as Command;
        const options = { ...command.opts(), args: command.args };
        stopOnSignals(STOPPED_IN_ORDER.has(name));
        await (await load()).run(contextOf(options), options);
      });

  addRoles(add);
  addLoad(add);
  addTools(add);
  addSettings(add);
  return program;
}

/** Adds a command: its name, what it does, and where it is. */
type Add = (name: string, description: string, load: () => Promise<{ run: Run }>) => Command;

/** What runs until it is stopped. */
function addRoles(add: Add): void {
  add('all', 'ingest, project and route in one process', () => import('./commands/all.js'));
  add('ingest', 'take outcomes over HTTP into the log', () => import('./commands/ingest.js'));
  add(
    'project',
    'fold the log into projections and hot keys',
    () => import('./commands/project.js'),
  );
  add('route', 'answer from the hot keys', () => import('./commands/route.js')).option(
    '--virtual-seed <n>',
    'decide in virtual time: for `load --closed-loop` only',
  );
  add(
    'demo',
    'a closed loop on real arrivals: publish, fold, route',
    () => import('./commands/demo.js'),
  )
    .option('--once', 'end when the last outcome is folded')
    .option('--seed <n>', 'seed of everything that is drawn', '1')
    .option('--minutes <n>', 'only the first minutes of the arrivals')
    .option('--external-projector', 'wait for `airouter project --namespace …`');
}

/** A load on what runs elsewhere. */
function addLoad(add: Add): void {
  add('load', 'made-up outcomes at a constant rate, measured', () => import('./commands/load.js'))
    .option('--rate <n>', 'outcomes a second (1000)')
    .option('--seconds <n>', 'how long (60)')
    .option('--route', 'with as many requests to a router')
    .option('--url <url>', 'of the router; that of the data folder without it')
    .option('--seed <n>', 'seed of everything that is drawn', '1')
    .option('--closed-loop', "the demo's loop, with projectors and router started elsewhere")
    .option('--virtual', 'in virtual time')
    .option('--minutes <n>', 'only the first minutes of the arrivals');
}

/** What answers and ends. */
function addTools(add: Add): void {
  add(
    'verify',
    'count everything again: books, checksum, hot keys',
    () => import('./commands/verify.js'),
  );
  add(
    'rebuild',
    'fold the whole log again, compare with what is live, take its place',
    () => import('./commands/rebuild.js'),
  )
    .option('--no-swap', 'only compare')
    .option('--dry-run', 'only compare')
    .option('--repair', 'take its place also where they differ');
  add(
    'catalogue',
    'import the catalogue: `catalogue import [FILE]`',
    () => import('./commands/catalogue.js'),
  )
    .argument('<action>', 'import')
    .argument('[file]', 'a JSON document; the built-in catalogue without it');
  add(
    'policy',
    'routing policies: `policy apply FILE`, `policy list`, `policy show NAME`, `policy remove NAME`',
    () => import('./commands/policy.js'),
  )
    .argument('<action>', 'apply, list, show or remove')
    .argument('[what]', 'a JSON document, or the name of a policy');
  add(
    'dlq',
    'dead letters: `dlq list`, `dlq show PLACE`, `dlq replay`, `dlq discard PLACE…`, `dlq allow`',
    () => import('./commands/dlq.js'),
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
    () => import('./commands/schemas.js'),
  )
    .argument('<action>', 'list or register')
    .argument('[file]', 'an Avro schema in JSON')
    .option('--id <n>', 'register it under this id, that of a registry');
  add(
    'topics',
    'topics of Kafka: `topics create [--single-node]`',
    () => import('./commands/topics.js'),
  )
    .argument('<action>', 'create')
    .option('--single-node', 'accept topics with one copy');
  add('topic', 'records of a topic: `topic cat TOPIC`', () => import('./commands/topic.js'))
    .argument('<action>', 'cat')
    .argument(
      '<topic>',
      'outcomes, decisions, inflight, summaries, catalogue, policies or a full name',
    )
    .option('--partition <n>', 'only this partition')
    .option('--from <offset>', 'from this offset on', '0');
  add(
    'migrate',
    'bring the schemas of DATABASE_URL up to date, as their owner',
    () => import('./commands/migrate.js'),
  );
}

/** What processes are told before they start. */
function addSettings(add: Add): void {
  add(
    'keys',
    'access keys: `keys create`, `keys list`, `keys revoke ID`',
    () => import('./commands/keys.js'),
  )
    .argument('<action>', 'create, list or revoke')
    .argument('[id]', 'of the key that is revoked')
    .option('--tenant <name>', 'whose key it is')
    .option('--all-tenants', 'a key that speaks for every tenant, as that of a router does')
    .option('--scope <scopes>', 'of route, ingest, analyst, admin; comma separated')
    .option('--expires-days <n>', 'for how long it is good; for ever without it')
    .option('--requests-per-second <n>', 'its limit at each process; none without it');
  add('config', 'the settings in force, secrets hidden', () => import('./commands/config.js'));
}

function contextOf(options: Record<string, unknown>): CommandContext {
  const namespace = options['namespace'] as string | undefined;
  const config = loadConfig({
    ...process.env,
    ...(namespace === undefined ? {} : { AIROUTER_NAMESPACE: namespace }),
  });
  return {
    config,
    logger: createLogger(config.logLevel),
    json: options['json'] === true,
    stop: stopping.signal,
    fail: (error) => stopping.abort(error),
    progress: (line) => process.stderr.write(`${line}\n`),
    answer: (value) => process.stdout.write(`${JSON.stringify(value)}\n`),
    print: (text) => process.stdout.write(`${text}\n`),
  };
}

/** The first signal stops in order where that is asked for, a second one at once. */
function stopOnSignals(inOrder: boolean): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      const interruption = new Interruption(signal);
      if (!inOrder || stopping.signal.aborted) process.exit(interruption.exitCode);
      stopping.abort(interruption);
    });
  }
}

/** What no part caught is a defect: said once, with the exit code of its kind. */
function endOnDefects(): void {
  process.on('uncaughtException', (error) => process.exit(report(asAiRouterError(error))));
}

/** Who reads our answer may have had enough of it, as `head` has. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : report(asAiRouterError(error)));
  });
}

/** One sentence on stderr, with the exit code of its kind. */
function report(error: AiRouterError): number {
  process.stderr.write(`airouter: ${error.message} (${error.code})\n`);
  if (error.code === 'internal' && error.cause instanceof Error) {
    process.stderr.write(`${error.cause.stack}\n`);
  }
  return ERRORS[error.code].exit;
}
