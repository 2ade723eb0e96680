/** A test that was not run, and why. */
export interface Skipped {
  name: string;
  reason: string | null;
}

/** A test that passed only when it was tried again. */
export interface Retried {
  name: string;
  /** Why the first try failed. */
  reason: string;
}

export interface Counts {
  passed: number;
  /** Names of what failed, files that could not be loaded among them. */
  failed: string[];
  skipped: Skipped[];
  /** What failed and then passed at its second try: counted as passed, and named. */
  retried: Retried[];
}

export function addCounts(a: Counts, b: Counts): Counts {
  return {
    passed: a.passed + b.passed,
    failed: [...a.failed, ...b.failed],
    skipped: [...a.skipped, ...b.skipped],
    retried: [...a.retried, ...b.retried],
  };
}

export const NO_COUNTS: Counts = { passed: 0, failed: [], skipped: [], retried: [] };

/** With CI=true a skip is a failure: there everything is to be had. */
export function exitCodeOf(counts: Counts, isCi: boolean): 0 | 1 {
  return counts.failed.length > 0 || (isCi && counts.skipped.length > 0) ? 1 : 0;
}

/** The summary; its last line is `N passed, N failed, N skipped` and nothing else. */
export function summaryLines(
  counts: Counts,
  seconds: ReadonlyMap<string, number>,
  isCi: boolean,
): string[] {
  const skips = counts.skipped.map(
    ({ name, reason }) => `  ${name}: ${reason ?? 'no reason given'}`,
  );
  const retries = counts.retried.map(({ name, reason }) => `  ${name}: ${reason}`);
  const heading = isCi ? 'Skipped, which is a failure with CI=true:' : 'Skipped:';
  return [
    `Seconds: ${[...seconds].map(([group, took]) => `${group} ${took.toFixed(1)}`).join(', ')}`,
    ...(retries.length > 0 ? ['Passed at the second try:', ...retries] : []),
    ...(counts.failed.length > 0 ? ['Failed:', ...counts.failed.map((name) => `  ${name}`)] : []),
    ...(skips.length > 0 ? [heading, ...skips] : []),
    `${counts.passed} passed, ${counts.failed.length} failed, ${counts.skipped.length} skipped`,
  ];
}
