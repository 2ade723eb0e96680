import type { PoolClient } from 'pg';

/** A statement with parameters from $1 on, made of a `T`. */
export interface Write<T> {
  text: string;
  values(of: T): readonly unknown[];
}

/**
 * Several writes as one statement: a round trip costs more than most of them do. Each must have a
 * table of its own, as they see the rows from before all of them and their order is not defined.
 * `name`: under which each connection keeps it planned; at most 63 bytes.
 */
export function combined<T>(
  name: string,
  writes: readonly Write<T>[],
): (client: PoolClient, of: T) => Promise<void> {
  const parts: string[] = [];
  let parameters = 0;
  for (const { text } of writes) {
    const first = parameters;
    const renumbered = text.replace(/\$(\d+)/g, (_, number: string) => {
      parameters = Math.max(parameters, first + Number(number));
      return `$${first + Number(number)}`;
    });
    parts.push(`w${parts.length} as (\n${renumbered}\n)`);
  }
  const text = `with ${parts.join(',\n')}\nselect`;
  return async (client, of) => {
    await client.query({ name, text, values: writes.flatMap((write) => write.values(of)) });
  };
}
