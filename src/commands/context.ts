import type { Config } from '../config.js';
import type { AiRouterError } from '../errors.js';
import type { Logger } from '../observe/logger.js';

/** What the command line hands to a command. */
export interface CommandContext {
  config: Config;
  logger: Logger;
  /** The user wants the answer as one JSON object on the last line of stdout. */
  json: boolean;
  /** Aborted by the first signal with an `Interruption`, by `fail` with its error. */
  stop: AbortSignal;
  /** Stops the command in order, to end with this error: a part cannot go on. */
  fail(error: AiRouterError): void;
  /** A line for people while it works: stderr. */
  progress(line: string): void;
  /** The answer as data. */
  answer(value: unknown): void;
  /** The answer for people. */
  print(text: string): void;
}

/** The person or the supervisor wants the command to stop; its answer was not given. */
export class Interruption extends Error {
  /** As shells count: 128 + the signal's number. */
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`stopped by ${signal}`);
    this.name = 'Interruption';
    this.exitCode = signal === 'SIGINT' ? 130 : 143;
  }
}
