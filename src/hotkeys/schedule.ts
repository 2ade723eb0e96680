/** Runs once after the delay; the answer cancels it. Tests put their own time in its place. */
export type Schedule = (delayMs: number, run: () => void) => () => void;

export const wallSchedule: Schedule = (delayMs, run) => {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
};
