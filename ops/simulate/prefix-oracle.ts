import { type FoldRecord, foldBatch } from '../../src/fold/fold-batch.js';
import { ORIGIN_HEADER, parseOrigin } from '../../src/fold/origin.js';
import { NEW_STATE, type PartitionState, partitionState } from '../../src/fold/partition-state.js';
import { KEYS_MAX, RECENT_IDS, SETTINGS } from './layout.js';
import { MergedTables } from './merged-tables.js';
import type { StoredRecord } from './simulated-log.js';

/** The fold of a prefix of one partition, in one go: no commits, no restarts, no other process. */
export class PrefixOracle {
  readonly tables = new MergedTables();
  readonly state: PartitionState;
  readonly #replayable = new Set<string>();

  constructor(topic: string, partition: number) {
    this.state = partitionState(topic, partition, KEYS_MAX, NEW_STATE, RECENT_IDS);
  }

  /** Folds on; answers the rows that changed. */
  fold(records: readonly StoredRecord[]): string[] {
    const changed: string[] = [];
    const folded = records.map(toFoldRecord);
    // A fold that stops at the limit of dead letters goes on behind it, as after an allowance.
    while (this.state.offsetNext <= (records.at(-1)?.offset ?? -1)) {
      const result = foldBatch(this.state, folded, SETTINGS, this.#replayable);
      changed.push(...this.tables.apply(result.delta));
    }
    return changed;
  }
}

function toFoldRecord({ offset, timestampMs, headers, decoded }: StoredRecord): FoldRecord {
  const origin = headers[ORIGIN_HEADER]?.toString();
  return {
    offset,
    timestampMs,
    decoded,
    origin: origin === undefined ? null : parseOrigin(origin),
  };
}
