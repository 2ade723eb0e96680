import { decode } from '../event/decode.js';
import type { CataloguePrice } from '../event/outcome.js';
import type { Headers, Log, NewRecord } from '../log/port.js';
import {
  brokenRuleOfEntry,
  type CatalogueEntry,
  encodeEntry,
  identityOf,
  priceKeyOf,
  topicKeyOf,
} from './entry.js';
import { priceAt } from './price-of.js';

/**
 * Brings the catalogue topic up to a list of entries, by appending what differs from the last
 * record of its name. Nothing is ever deleted, and a second import appends nothing.
 *
 * Two hands write the topic. The built-in catalogue marks its records and retires what it no
 * longer has: offerings are switched off, aliases removed, prices replaced by what holds instead.
 * A record without that mark is a user's own word, which the built-in catalogue leaves as it is;
 * an import of own entries changes those alone that it names.
 */

export type Hand = 'built-in' | 'own';

export interface ImportCounts {
  /** Records written, those that retire included. */
  appended: number;
  unchanged: number;
  retired: number;
  /** Entries of the built-in catalogue for which a user's own stands. */
  kept: number;
}

export interface ImportDeps {
  log: Pick<Log, 'bounds' | 'read' | 'append'>;
  /** The catalogue topic, which has one partition. */
  topic: string;
  /** The records' own time on a topic that keeps it (CreateTime), ms since the epoch. */
  timestampMs?: number;
}

/** Header of a record of the built-in catalogue. */
const HAND_HEADER = 'catalogue';
const BUILT_IN: Headers = { [HAND_HEADER]: Buffer.from('built-in') };

const PARTITION = 0;
/** One read of what is in the log already. */
const FETCH_BYTES = 1_048_576;
/** Records of one append, which is all or none: some 100 KB. */
const APPEND_RECORDS = 500;

/**
 * Reads the topic to its end, then appends. Safe to repeat: should an append fail, the next
 * import finds what is there and appends the rest.
 */
export async function importCatalogue(
  { log, topic, timestampMs }: ImportDeps,
  entries: readonly CatalogueEntry[],
  hand: Hand,
): Promise<ImportCounts> {
  const current = await readCurrent(log, topic);
  const { changes, counts } =
    hand === 'own' ? ownChanges(entries, current) : builtInChanges(entries, current);
  for (let at = 0; at < changes.length; at += APPEND_RECORDS) {
    const records = changes.slice(at, at + APPEND_RECORDS).map((entry) => ({
      ...recordOf(entry, hand),
      ...(timestampMs === undefined ? {} : { timestampMs }),
    }));
    await log.append(topic, PARTITION, records);
  }
  return counts;
}

/** The last record of a name. */
interface Standing {
  entry: CatalogueEntry;
  bytes: Buffer;
  hand: Hand;
}

type Current = ReadonlyMap<string, Standing>;

async function readCurrent(log: ImportDeps['log'], topic: string): Promise<Current> {
  const current = new Map<string, Standing>();
  const { start, end } = await log.bounds(topic, PARTITION);
  let offset = start;
  while (offset < end) {
    const { records } = await log.read(topic, PARTITION, offset, FETCH_BYTES);
    const last = records.at(-1);
    if (last === undefined) break;
    for (const { value, headers } of records) {
      const entry = entryOf(value, headers);
      if (entry === null) continue;
      const hand = headers[HAND_HEADER]?.equals(BUILT_IN[HAND_HEADER]!) ? 'built-in' : 'own';
      // Encoded anew, so that records of older schemas compare by what they say.
      current.set(identityOf(entry), { entry, bytes: encodeEntry(entry), hand });
    }
    offset = last.offset + 1;
  }
  return current;
}

/** Null = not an entry of the catalogue; whoever folds the topic skips or parks it. */
function entryOf(value: Buffer | null, headers: Headers): CatalogueEntry | null {
  const record = decode(value, headers);
  if ('failed' in record) return null;
  switch (record.type) {
    case 'CatalogueProvider':
    case 'CatalogueModel':
    case 'CatalogueAlias':
    case 'CatalogueOffering':
    case 'CataloguePrice': {
      const entry = { record: record.type, value: record.value } as CatalogueEntry;
      return brokenRuleOfEntry(entry) === null ? entry : null;
    }
    default:
      return null;
  }
}

interface Changes {
  changes: CatalogueEntry[];
  counts: ImportCounts;
}

function ownChanges(entries: readonly CatalogueEntry[], current: Current): Changes {
  // The same words by the built-in catalogue are said again: from now on they are the user's.
  const changes = entries.filter((entry) => {
    const standing = current.get(identityOf(entry));
    return standing?.hand !== 'own' || !standing.bytes.equals(encodeEntry(entry));
  });
  const unchanged = entries.length - changes.length;
  return { changes, counts: { appended: changes.length, unchanged, retired: 0, kept: 0 } };
}

function builtInChanges(entries: readonly CatalogueEntry[], current: Current): Changes {
  const ownPrices = ownPriceKeys(current);
  const isOwn = (entry: CatalogueEntry): boolean =>
    current.get(identityOf(entry))?.hand === 'own' ||
    (entry.record === 'CataloguePrice' && ownPrices.has(priceKeyOf(entry.value)));
  const isChanged = (entry: CatalogueEntry): boolean =>
    !current.get(identityOf(entry))?.bytes.equals(encodeEntry(entry));

  const changed = entries.filter(isChanged);
  const changes = changed.filter((entry) => !isOwn(entry));
  const retiring = retirements(entries, current).filter(
    (entry) => isChanged(entry) && !isOwn(entry),
  );
  return {
    changes: [...changes, ...retiring],
    counts: {
      appended: changes.length + retiring.length,
      unchanged: entries.length - changed.length,
      retired: retiring.length,
      kept: changed.length - changes.length,
    },
  };
}

/** Whoever sets one price of an offering sets them all: dates of two hands would mix. */
function ownPriceKeys(current: Current): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const { entry, hand } of current.values()) {
    if (hand === 'own' && entry.record === 'CataloguePrice') keys.add(priceKeyOf(entry.value));
  }
  return keys;
}

/** What takes the place of records that the built-in catalogue no longer has. */
function retirements(entries: readonly CatalogueEntry[], current: Current): CatalogueEntry[] {
  const named = new Set(entries.map(identityOf));
  const retired: CatalogueEntry[] = [];
  for (const [identity, { entry, hand }] of current) {
    if (named.has(identity) || hand !== 'built-in') continue;
    if (entry.record === 'CatalogueOffering') {
      retired.push({ ...entry, value: { ...entry.value, enabled: false } });
    }
    if (entry.record === 'CatalogueAlias') {
      retired.push({ ...entry, value: { ...entry.value, model: '' } });
    }
    if (entry.record === 'CataloguePrice') {
      retired.push({ ...entry, value: correctedPrice(entry.value, entries) });
    }
  }
  return retired;
}

/**
 * A price cannot be taken back, only be followed or replaced: at its moment now stands what the
 * catalogue says for that moment, or that nothing is known.
 */
function correctedPrice(gone: CataloguePrice, entries: readonly CatalogueEntry[]): CataloguePrice {
  const prices = entries
    .flatMap((entry) => (entry.record === 'CataloguePrice' ? [entry.value] : []))
    .filter((price) => priceKeyOf(price) === priceKeyOf(gone))
    .toSorted((a, b) => a.valid_from - b.valid_from);
  return { ...gone, tiers: priceAt(prices, gone.valid_from)?.tiers ?? [] };
}

function recordOf(entry: CatalogueEntry, hand: Hand): NewRecord {
  return {
    key: Buffer.from(topicKeyOf(entry)),
    value: encodeEntry(entry),
    ...(hand === 'built-in' ? { headers: BUILT_IN } : {}),
  };
}
