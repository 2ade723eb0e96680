import type { FaultRow } from './fault-row.js';
import { inputRows } from './rows/input.js';
import { logRows } from './rows/log.js';
import { projectorRows } from './rows/projector.js';
import { roleRows } from './rows/roles.js';
import { storeRows } from './rows/stores.js';

/** Every fault that the product is built against, by number. */
export const FAULTS: readonly FaultRow[] = [
  ...projectorRows,
  ...logRows,
  ...storeRows,
  ...inputRows,
  ...roleRows,
];
