import type { Config } from '../config.js';
import type { Logger } from '../observe/logger.js';

/** What the command line hands to a command. */
export interface CommandContext {
  config: Config;
  logger: Logger;
  /** The user wants the answer as one JSON object on the last line of stdout. */
  json: boolean;
  /** Aborted by the first Ctrl-C. */
  stop: AbortSignal;
  /** A line for people while it works: stderr. */
  progress(line: string): void;
  /** The answer as data. */
  answer(value: unknown): void;
  /** The answer for people. */
  print(text: string): void;
}
