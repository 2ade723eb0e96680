/** What a publisher says; pino's loggers fit. */
export interface PublisherLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Something that holds or does not: one line when it begins, one when it ends, none between. */
export class Condition {
  readonly #begun: (fields: object) => void;
  readonly #ended: (fields: object) => void;
  #holds = false;

  constructor(begun: (fields: object) => void, ended: (fields: object) => void) {
    this.#begun = begun;
    this.#ended = ended;
  }

  get holds(): boolean {
    return this.#holds;
  }

  begin(fields: object): void {
    if (this.#holds) return;
    this.#holds = true;
    this.#begun(fields);
  }

  end(fields: object): void {
    if (!this.#holds) return;
    this.#holds = false;
    this.#ended(fields);
  }
}
