/** What a key may do. */
export const SCOPES = ['route', 'ingest', 'analyst', 'admin'] as const;

export type Scope = (typeof SCOPES)[number];

export function isScope(value: unknown): value is Scope {
  return SCOPES.some((scope) => scope === value);
}
