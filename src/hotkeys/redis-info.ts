import type { StoreFigures } from './port.js';

/** Figures from the text of Redis's INFO; in a cluster, those of the node that was asked. */
export function storeFiguresOf(info: string): StoreFigures {
  const fields = new Map(
    info.split(/\r?\n/).map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
  const number = (name: string): number | null => {
    const text = fields.get(name);
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
  };
  return {
    connected_clients: number('connected_clients'),
    used_memory_human: fields.get('used_memory_human') ?? null,
    keyspace_hits: number('keyspace_hits'),
    keyspace_misses: number('keyspace_misses'),
  };
}
