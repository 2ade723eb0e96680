/** Time as the rows of health count it: ticks of 5 s since the epoch. */
export const TICK_MS = 5_000;
export const MINUTE_MS = 60_000;
/** Ticks that are read: two minutes, behind which the minutes are. */
export const WINDOW_TICKS = 24;
/** A gauge that is older than 15 s says nothing of now: its emitter may be gone. */
export const GAUGE_TICKS = 3;

export const tickOf = (asOf: number): number => Math.floor((asOf * 1000) / TICK_MS);

/**
 * Age of a tick in ticks, or -1 where it is out of the window. A tick ahead of as-of is of now:
 * the log's clock and the router's differ.
 */
export function ageOfTick(tick: number, asOfTick: number): number {
  const age = asOfTick > tick ? asOfTick - tick : 0;
  return age < WINDOW_TICKS ? age : -1;
}
