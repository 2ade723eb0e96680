import type { Pool, PoolClient } from 'pg';

/** A statement with parameters from $1 on, made of a `T`. */
export interface Write<T> {
  text: string;
  values(of: T): readonly unknown[];
}

/** Ends the text of a write that is made only where the first one changed a row. */
export const IF_FIRST = 'where exists (select from first)';

/**
 * Several writes as one statement: a round trip costs more than most of them do. `first` returns
 * what it changed; the others end in `IF_FIRST`, so that nothing is done before it, and have a table
 * of their own each, since they see the rows from before all of them and their order is not defined.
 * Answers how many rows the first one changed. `name`: under which each connection keeps it planned;
 * at most 63 bytes.
 */
export function combined<T>(
  name: string,
  first: Write<T>,
  others: readonly Write<T>[],
): (client: Pick<Pool | PoolClient, 'query'>, of: T) => Promise<number> {
  let parameters = 0;
  const numbered = ({ text }: Write<T>): string => {
    const before = parameters;
    return text.replace(/\$(\d+)/g, (_, number: string) => {
      parameters = Math.max(parameters, before + Number(number));
      return `$${before + Number(number)}`;
    });
  };
  const parts = [
    `first as (\n${numbered(first)}\n)`,
    ...others.map((write, i) => `w${i} as (\n${numbered(write)}\n)`),
  ];
  const text = `with ${parts.join(',\n')}\nselect count(*)::int4 as changed from first`;
  return async (client, of) => {
    const values = [first, ...others].flatMap((write) => write.values(of));
    const { rows } = await client.query<{ changed: number }>({ name, text, values });
    return rows[0]!.changed;
  };
}
