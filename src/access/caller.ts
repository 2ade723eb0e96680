import type { Scope } from './scope.js';

/** Who asks. */
export interface Caller {
  /** Public id of the key; null where none was shown. */
  keyId: string | null;
  /** Whose requests and outcomes these are; empty = nobody's in particular. */
  tenant: string;
  /** Items of a body may name other tenants: the caller speaks for all of them. */
  namesTenants: boolean;
  /** `admin` stands for every other one too: ask `isAllowed`. */
  scopes: ReadonlySet<Scope>;
}

/** Whether one of the scopes is the caller's. */
export function isAllowed({ scopes }: Caller, anyOf: readonly Scope[]): boolean {
  return scopes.has('admin') || anyOf.some((scope) => scopes.has(scope));
}
