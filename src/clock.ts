/** Where the time comes from: the wall, or the demo's and the tests' own. */
export interface Clock {
  /** ms since the Unix epoch */
  nowMs(): number;
}

export const wallClock: Clock = { nowMs: () => Date.now() };
