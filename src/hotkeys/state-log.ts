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
    // The message alone: errors of clients carry their commands, and with them values.
    const message = reason instanceof Error ? reason.message : String(reason);
    this.#logger.warn({ part, reason: message }, this.#messages.failing);
  }
}
