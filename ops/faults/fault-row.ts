/** One way in which the world fails, what the product makes of it, and what shows that. */
export interface FaultRow {
  row: number;
  fault: string;
  /** What a user or an operator sees. */
  happens: string;
  tests: readonly FaultTest[];
  /** Figures of a run, with what they were taken on; empty = nothing was measured beside the tests. */
  measured?: string;
  /** Why no test here shows it. */
  whyNot?: string;
}

export interface FaultTest {
  /** Path from the package's folder; its name says what it needs: x.test.ts, x.int.test.ts … */
  file: string;
  /** A part of the test's name; none = every test of the file. */
  name?: string;
}
