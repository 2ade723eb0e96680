/** A test that was not run, and why. */
export interface Skipped {
  name: string;
  reason: string | null;
}

export interface Counts {
  passed: number;
  /** Names of what failed, files that could not be loaded among them. */
  failed: string[];
  skipped: Skipped[];
}

export function addCounts(a: Counts, b: Counts): Counts {
  return {
    passed: a.passed + b.passed,
    failed: [...a.failed, ...b.failed],
    skipped: [...a.skipped, ...b.skipped],
  };
}

export const NO_COUNTS: Counts = { passed: 0, failed: [], skipped: [] };

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
  const heading = isCi ? 'Skipped, which is a failure with CI=true:' : 'Skipped:';
  return [
    `Seconds: ${[...seconds].map(([group, took]) => `${group} ${took.toFixed(1)}`).join(', ')}`,
    ...(counts.failed.length > 0 ? ['Failed:', ...counts.failed.map((name) => `  ${name}`)] : []),
    ...(skips.length > 0 ? [heading, ...skips] : []),
    `${counts.passed} passed, ${counts.failed.length} failed, ${counts.skipped.length} skipped`,
  ];
}
