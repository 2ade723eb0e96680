/** What this folder needs of the product's logger. */
export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/**
 * Logs the changes of a state, not the attempts: a service that is away for an hour is two lines.
 * Several parts share one state: it fails with the first that does, and is well again with the last.
 */
export class StateLog {
  readonly #logger: Logger;
  readonly #messages: { ok: string; failing: string };
  readonly #failing = new Set<string>();

  constructor(logger: Logger, messages: { ok: string; failing: string }) {
    this.#logger = logger;
    this.#messages = messages;
  }

  ok(part: string): void {
    if (!this.#failing.delete(part) || this.#failing.size > 0) return;
    this.#logger.info({ part }, this.#messages.ok);
  }

  failing(part: string, reason: unknown): void {
    const first = this.#failing.size === 0;
    this.#failing.add(part);
    if (!first) return;
    this.#logger.warn({ part, reason: reasonText(reason) }, this.#messages.failing);
  }
}

/**
 * An error in words. The message alone: errors of clients carry their commands, and with them
 * values and passwords. A refused connection to a name of several addresses has only a code.
 */
export function reasonText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}
