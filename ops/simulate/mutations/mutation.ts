/** One deliberate defect and the check that must find it. */
export interface Mutation {
  name: string;
  /** Exact texts, each of which stands once in its file. */
  edits: readonly { file: string; from: string; to: string }[];
  check: Check;
  /** Names of invariants: what turns red must bear one of them. */
  invariants: readonly string[];
}

export type Check =
  | { by: 'simulation' }
  /** A file of tests, and a part of the names of those that are run. */
  | { by: 'test'; project: 'unit' | 'int'; file: string; name?: string };

export const SIMULATION: Check = { by: 'simulation' };
