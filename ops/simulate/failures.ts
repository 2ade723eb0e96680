export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9';

/** What did not hold, by the name of the invariant; `defect`: code threw that must not. */
export interface Failure {
  invariant: Invariant | 'defect';
  message: string;
}

/** The first thing that does not hold is kept: the rest follows from it. */
export class Failures {
  first: Failure | null = null;

  fail(invariant: Failure['invariant'], message: string): void {
    this.first ??= { invariant, message };
  }

  /** Fails where the two are not equal. */
  equal(invariant: Invariant, what: string, actual: unknown, expected: unknown): void {
    const [got, wanted] = [textOf(actual), textOf(expected)];
    if (got !== wanted) this.fail(invariant, `${what}: got ${got}, expected ${wanted}`);
  }
}

const LENGTH_MAX = 2_000;

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const text = JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}` : each));
  return String(text).slice(0, LENGTH_MAX);
}
