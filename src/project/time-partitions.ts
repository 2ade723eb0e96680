import type { Pool } from 'pg';
import { withTransaction } from '../database/connect.js';
import type { Delta } from '../fold/delta.js';
import { TABLES, type Table } from '../fold/tables.js';

/**
 * Storage of the time tables, cut by range, so that retention drops files instead of deleting
 * rows. A range is made when its first row comes.
 */
export const RANGE = {
  /** Ticks of an hour. */
  tick: 720,
  /** Minutes of a day. */
  minute: 1440,
} as const;

export const TIME_TABLES: readonly Table[] = Object.values(TABLES).filter(
  (table: Table) => table.time !== null,
);

/** Makes the ranges that rows of a delta need; remembers what is there. */
export class TimePartitions {
  readonly #schema: string;
  readonly #known = new Set<string>();

  constructor(schema: string) {
    this.#schema = schema;
  }

  /** Names of the missing partitions with the statements that make them. */
  missing(delta: Delta): Map<string, string> {
    const missing = new Map<string, string>();
    for (const table of TIME_TABLES) {
      const width = RANGE[table.time!];
      const times = new Set<number>();
      for (const row of delta.rows[table.name as keyof typeof TABLES].values()) {
        times.add(Math.floor((row[0] as number) / width) * width);
      }
      for (const from of times) {
        const name = `${table.name}_${from}`;
        if (!this.#known.has(name)) missing.set(name, this.#createSql(table, from, width));
      }
    }
    return missing;
  }

  /**
   * Runs the statements, outside of a commit's transaction. One a transaction: making a partition
   * locks its parent, and two parents locked at once could deadlock with a commit. The advisory
   * lock keeps two projectors from making the same one.
   */
  async create(pool: Pool, missing: ReadonlyMap<string, string>): Promise<void> {
    for (const [name, sql] of missing) {
      await withTransaction(pool, 'read committed', async (client) => {
        await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
          `${this.#schema}.time_partitions`,
        ]);
        await client.query(sql);
      });
      this.#known.add(name);
    }
  }

  /** After a range was dropped somewhere, nothing is taken as known. */
  forget(): void {
    this.#known.clear();
  }

  #createSql(table: Table, from: number, width: number): string {
    const parent = `"${this.#schema}".${table.name}`;
    return `select "${this.#schema}".make_time_range('${parent}', ${from}, ${from + width})`;
  }
}
