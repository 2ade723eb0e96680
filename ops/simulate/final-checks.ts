import type { Cell } from '../../src/fold/delta.js';
import type { TableName } from '../../src/fold/tables.js';
import { FOLDED, placeName, TOPICS } from './layout.js';
import { LEDGER_COLUMNS, type Ledger, ledgerOf } from './ledger.js';
import { rebuild } from './rebuild.js';
import type { StoredPlace } from './simulated-store.js';
import type { System } from './system.js';

/** What must hold after a crash and at rest. */
export function checkCommitted(system: System): void {
  const { commitChecks, store, acknowledged, log, failures } = system;
  commitChecks.checkAll((name) => store.place(name));
  for (const id of acknowledged) {
    if (!log.outcomeIds.has(id)) failures.fail('I1', `outcome ${id} was acknowledged and is gone`);
  }
}

/** What must hold once everything has come to rest. */
export async function checkAtRest(system: System): Promise<void> {
  checkCommitted(system);
  const applied = new Map<string, number>();
  for (const place of FOLDED) {
    if (place.topic !== TOPICS.outcomes) continue;
    const name = placeName(place);
    const ledger = ledgerOf(name, system.log.records(name));
    for (const [id, times] of ledger.times) applied.set(id, (applied.get(id) ?? 0) + times);
    compareWithLedger(system, name, system.store.place(name), ledger);
  }
  checkOwnEvents(system, applied);
  await compareWithRebuilt(system);
}

/** Whatever a publisher resent: an outcome of its own counts once if it is in the log at all. */
function checkOwnEvents(system: System, applied: ReadonlyMap<string, number>): void {
  for (const id of system.log.outcomeIds) {
    if (system.sharedIds.has(id)) continue;
    system.failures.equal('I2', `times that outcome ${id} counted`, applied.get(id) ?? 0, 1);
  }
}

function compareWithLedger(
  { failures }: System,
  name: string,
  stored: StoredPlace,
  ledger: Ledger,
): void {
  const { read, applied, duplicate, deadLettered, skipped, late, skewed } = ledger;
  const counts = { read, applied, duplicate, deadLettered, skipped, late, skewed };
  failures.equal('I2', `${name}: events by what became of them`, stored.counts, counts);
  failures.equal('I3', `${name}: its books`, read, applied + duplicate + deadLettered + skipped);
  const parked = [...stored.parked.keys()].sort();
  failures.equal('I9', `${name}: parked places`, parked, [...ledger.parked].sort());
  const tables: [TableName, keyof typeof LEDGER_COLUMNS][] = [
    ['outcome_minute', 'minutes'],
    ['usage_minute', 'usage'],
    ['outcome_tick', 'ticks'],
  ];
  for (const [table, part] of tables) {
    const rows = stored.tables.table(table);
    for (const column of LEDGER_COLUMNS[part]) {
      const sum = sumOf(rows, column);
      failures.equal('I3', `${name}: ${table}.${column}`, sum, ledger[part][column] ?? 0n);
    }
  }
}

function sumOf(rows: readonly Record<string, Cell>[], column: string): bigint {
  return rows.reduce((sum, row) => sum + BigInt(row[column] as number | bigint), 0n);
}

async function compareWithRebuilt({ log, store, failures }: System): Promise<void> {
  const rebuilt = await rebuild(log, failures);
  for (const place of FOLDED) {
    const name = placeName(place);
    const [live, fresh] = [store.place(name), rebuilt.place(name)];
    failures.equal('I6', `${name}: rows`, fresh.tables.text(), live.tables.text());
    failures.equal('I6', `${name}: offset`, fresh.offsetNext, live.offsetNext);
    failures.equal('I6', `${name}: books`, fresh.counts, live.counts);
    failures.equal('I6', `${name}: parked`, [...fresh.parked], [...live.parked]);
  }
}
