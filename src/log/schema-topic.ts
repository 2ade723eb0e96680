import { decode } from '../event/decode.js';
import { encodeRecord } from '../event/encode.js';
import type { RegisteredSchema } from '../event/outcome.js';
import { brokenRuleOfSchema } from '../event/rules.js';
import type { Schemas } from '../event/schemas.js';
import type { Log, LogRecord } from './port.js';

export interface SchemaTopicOptions {
  log: Pick<Log, 'read' | 'append' | 'bounds'>;
  topic: string;
  /** Where what is read is registered. */
  schemas: Schemas;
  /** Told of each schema that stands; `refused`: why records of it are not read, or null. */
  onSchema?: (schema: RegisteredSchema, refused: string | null) => void;
}

const PARTITION = 0;
/** One read of the topic. */
const READ_BYTES = 1_048_576;

/**
 * Schemas of others as the log has them, in its order: the first record of an id stands, whoever
 * reads and whenever. One call at a time; others wait for their turn.
 */
export class SchemaTopic {
  readonly #options: SchemaTopicOptions;
  readonly #ids = new Set<number>();
  #offset = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SchemaTopicOptions) {
    this.#options = options;
  }

  /** Registers everything up to the end that the topic has when this call has its turn. */
  readToEnd(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#readToEnd();
    });
  }

  /**
   * Appends a schema and reads it back: another one may stand under its id by then. The id is
   * chosen when it is this call's turn, from the highest that stands; false = another was faster.
   */
  append(choose: (highestId: number) => RegisteredSchema): Promise<boolean> {
    return this.#inTurn(async () => {
      await this.#readToEnd();
      const schema = choose(Math.max(0, ...this.#ids));
      if (this.#ids.has(schema.id)) return false;
      const { log, topic } = this.#options;
      const value = encodeRecord('Schema', schema);
      const at = await log.append(topic, PARTITION, [{ key: null, value }]);
      const before = await this.#readToEnd(at);
      return before.has(schema.id) === false;
    });
  }

  /** Answers the ids that stood below the offset `mark`. */
  async #readToEnd(mark = 0): Promise<ReadonlySet<number>> {
    const { log, topic } = this.#options;
    const { start, end } = await log.bounds(topic, PARTITION);
    // A topic that was made anew is read again; what is known here keeps its meaning.
    this.#offset = this.#offset > end ? start : Math.max(this.#offset, start);
    const below = new Set(this.#ids);
    while (this.#offset < end) {
      const { records } = await log.read(topic, PARTITION, this.#offset, READ_BYTES);
      if (records.length === 0) break;
      for (const record of records) {
        const id = this.#take(record);
        if (id !== null && record.offset < mark) below.add(id);
      }
      this.#offset = records.at(-1)!.offset + 1;
    }
    return below;
  }

  /** The id of a record that is a schema; others in this topic are no one's. */
  #take({ value, headers }: LogRecord): number | null {
    const { schemas, onSchema } = this.#options;
    const decoded = decode(value, headers, schemas);
    if ('failed' in decoded || decoded.type !== 'Schema') return null;
    if (brokenRuleOfSchema(decoded.value) !== null) return null;
    const { id, schema } = decoded.value;
    if (this.#ids.has(id)) return id;
    this.#ids.add(id);
    // Written for older versions.
    if (schemas.isShipped(id)) return id;
    const refused = schemas.register(id, schema);
    onSchema?.(decoded.value, refused);
    return id;
  }

  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(call);
    this.#turn = done.catch(() => {});
    return done;
  }
}
