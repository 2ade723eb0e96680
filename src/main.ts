#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import { type AddCommand, addCommands } from './commands/command-line.js';
import { type CommandContext, Interruption } from './commands/context.js';
import { loadConfig } from './config.js';
import { type AiRouterError, asAiRouterError, ERRORS, type ErrorCode } from './errors.js';
import { defectOf } from './observe/defect.js';
import { createLogger } from './observe/logger.js';
import { packageVersion } from './package-root.js';

/**
 * From the command line to an exit code: the command's context, signals and defects. The only reader
 * of the environment.
 */

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
/** For the last lines of standard output and of the log. */
const LAST_WORDS_MS = 100;
// What did not stop in time does not keep the process.
setTimeout(() => process.exit(), LAST_WORDS_MS).unref();

async function main(argv: readonly string[]): Promise<number> {
  const program = createProgram();
  endOnDefects();
  endWithReader();
  surviveLogReader();
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
    .configureOutput({
      outputError: (text, write) => write(sentenceOf('invalid_usage', parserWords(text))),
    })
    .configureHelp({ showGlobalOptions: true });
  const add: AddCommand = (name, description, load) =>
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

  addCommands(add);
  return program;
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
  process.on('uncaughtException', (error, origin) => {
    process.exit(report(asAiRouterError(error), origin));
  });
}

/** Who reads our answer may have had enough of it, as `head` has. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : report(asAiRouterError(error)));
  });
}

/** A role works on when nobody reads its log any more; its metrics and answers tell of it. */
function surviveLogReader(): void {
  process.stderr.on('error', () => {});
}

/** What the parser of the command line says, without its prefix; a suggestion is a second line. */
function parserWords(text: string): string {
  return text
    .replace(/^error: /, '')
    .trim()
    .replaceAll('\n', ' ')
    .replace(/\.$/, '');
}

function sentenceOf(code: ErrorCode, message: string): string {
  return `airouter: ${message} (${code})\n`;
}

/** One sentence on stderr, with the exit code of its kind; of a defect, all that explains it. */
function report(error: AiRouterError, origin = 'command'): number {
  let { message } = error;
  if (error.code === 'internal') {
    const err = defectOf(error.cause ?? error);
    createLogger('error').error({ origin, err }, 'The process ends by a defect.');
    message = err.message;
  }
  process.stderr.write(sentenceOf(error.code, message));
  return ERRORS[error.code].exit;
}
