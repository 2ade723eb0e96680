import type { FaultTest } from '../fault-row.js';

// What many rows point to: runs from a seed, in which most faults happen.

/** Crashes, redeliveries and outages at any await, with everything in memory. */
export const SIMULATION: FaultTest = {
  file: 'test/simulate/simulation.test.ts',
  name: 'hold after every crash',
};

/** Thirty faults on the real stack: kills, stops, bad networks, lost replies. */
export const SOAK: FaultTest = {
  file: 'test/soak/soak.e2e.test.ts',
  name: 'I1 I2 I3 I5 I7 I9 I10',
};
