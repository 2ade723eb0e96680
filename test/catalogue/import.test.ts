import { beforeEach, describe, expect, it } from 'vitest';
import { builtInCatalogue } from '../../src/catalogue/built-in.js';
import { parseDocument } from '../../src/catalogue/document.js';
import { type CatalogueEntry, encodeEntry } from '../../src/catalogue/entry.js';
import { type Hand, type ImportCounts, importCatalogue } from '../../src/catalogue/import.js';
import { decode } from '../../src/event/decode.js';
import type { LogBatch, LogRecord, NewRecord } from '../../src/log/port.js';

const TOPIC = 'airouter.catalogue.v1';

/** One partition, offsets with gaps, small batches: what readers of the log have to cope with. */
class OnePartition {
  readonly records: LogRecord[] = [];
  #next = 5;

  async bounds(): Promise<{ start: number; end: number }> {
    return { start: this.records[0]?.offset ?? this.#next, end: this.#next };
  }

  async read(topic: string, partition: number, offset: number): Promise<LogBatch> {
    const records = this.records.filter((record) => record.offset >= offset).slice(0, 7);
    return { topic, partition, fetchOffset: offset, records, highWatermark: this.#next };
  }

  async append(_topic: string, _partition: number, records: readonly NewRecord[]): Promise<number> {
    const first = this.#next;
    for (const { key, value, headers = {} } of records) {
      this.records.push({ offset: this.#next, timestampMs: 0, key, value, headers });
      this.#next += 2;
    }
    return first;
  }
}

const base: CatalogueEntry[] = parseDocument(
  JSON.stringify({
    providers: [{ name: 'p' }],
    models: [{ name: 'm' }],
    aliases: [{ name: 'alias', model: 'm' }],
    offerings: [
      { model: 'm', provider: 'p', call_as: 'm' },
      { model: 'm', provider: 'p', region: 'eu', call_as: 'm' },
    ],
    prices: [
      { model: 'm', provider: 'p', valid_from: 0, tiers: [{ above_input_tokens: 0, input: 5 }] },
      { model: 'm', provider: 'p', valid_from: 9, tiers: [{ above_input_tokens: 0, input: 7 }] },
    ],
  }),
);

let log: OnePartition;
beforeEach(() => {
  log = new OnePartition();
});
const bring = (
  entries: readonly CatalogueEntry[],
  hand: Hand = 'built-in',
): Promise<ImportCounts> => importCatalogue({ log, topic: TOPIC }, entries, hand);
const counts = (fields: Partial<ImportCounts>): ImportCounts => ({
  appended: 0,
  unchanged: 0,
  retired: 0,
  kept: 0,
  ...fields,
});
const last = (): unknown => {
  const { value, headers } = log.records.at(-1)!;
  return decode(value, headers);
};
/** The entries with some of the fields of one kind of record replaced. */
const changed = (
  record: CatalogueEntry['record'],
  fields: Record<string, unknown>,
  where: (value: never) => boolean = () => true,
): CatalogueEntry[] =>
  base.map((entry) =>
    entry.record === record && where(entry.value as never)
      ? ({ ...entry, value: { ...entry.value, ...fields } } as CatalogueEntry)
      : entry,
  );

describe('importCatalogue', () => {
  it('fills an empty topic, and a second import appends nothing', async () => {
    const { entries } = builtInCatalogue();
    expect(await bring(entries)).toEqual(counts({ appended: entries.length }));
    expect(log.records.map(({ value }) => value)).toEqual(entries.map(encodeEntry));
    expect(await bring(entries)).toEqual(counts({ unchanged: entries.length }));
    expect(log.records).toHaveLength(entries.length);
  });

  it('keys records by name, offerings and prices by their key text', async () => {
    await bring(base);
    expect(log.records.map(({ key }) => String(key))).toEqual([
      'p',
      'm',
      'alias',
      'm|p||',
      'm|p||eu',
      'm|p||',
      'm|p||',
    ]);
  });

  it('appends one record for one changed price', async () => {
    await bring(base);
    const cheaper = changed(
      'CataloguePrice',
      { source: 'new list' },
      ({ valid_from }: { valid_from: number }) => valid_from === 9,
    );
    expect(await bring(cheaper)).toEqual(counts({ appended: 1, unchanged: 6 }));
    expect(last()).toMatchObject({
      type: 'CataloguePrice',
      value: { valid_from: 9, source: 'new list' },
    });
    expect(await bring(cheaper)).toEqual(counts({ unchanged: 7 }));
  });

  it('compares with the last record of a name, not with any', async () => {
    await bring(base);
    await bring(changed('CatalogueModel', { display_name: 'M' }));
    expect(await bring(base)).toEqual(counts({ appended: 1, unchanged: 6 }));
  });

  it('switches off an offering that is gone, once, and on again when it is back', async () => {
    await bring(base);
    const fewer = base.filter((_, index) => index !== 4);
    expect(await bring(fewer)).toEqual(counts({ appended: 1, unchanged: 6, retired: 1 }));
    expect(last()).toMatchObject({
      type: 'CatalogueOffering',
      value: { region: 'eu', enabled: false, call_as: 'm' },
    });
    expect(await bring(fewer)).toEqual(counts({ unchanged: 6 }));
    expect(await bring(base)).toEqual(counts({ appended: 1, unchanged: 6 }));
    expect(last()).toMatchObject({ value: { region: 'eu', enabled: true } });
  });

  it('removes an alias that is gone', async () => {
    await bring(base);
    expect(await bring(base.filter(({ record }) => record !== 'CatalogueAlias'))).toMatchObject({
      retired: 1,
    });
    expect(last()).toEqual({ type: 'CatalogueAlias', value: { name: 'alias', model: '' } });
  });

  it('puts in the place of a price that is gone what holds at its moment', async () => {
    await bring(base);
    const corrected = base.slice(0, 6);
    expect(await bring(corrected)).toEqual(counts({ appended: 1, unchanged: 6, retired: 1 }));
    expect(last()).toMatchObject({ value: { valid_from: 9, tiers: [{ input: 5 }] } });
    expect(await bring(corrected)).toEqual(counts({ unchanged: 6 }));
  });

  it('ends a price that is gone for good: from then on it is unknown, not free', async () => {
    await bring(base);
    expect(await bring(base.slice(0, 5))).toMatchObject({ retired: 2 });
    expect(last()).toMatchObject({ type: 'CataloguePrice', value: { tiers: [] } });
  });

  it('leaves own entries as they are: they stand over built-in ones and are never retired', async () => {
    await bring(base);
    const own = parseDocument(
      JSON.stringify({
        offerings: [
          { model: 'm', provider: 'p', call_as: 'm', weight: 0 },
          { model: 'm', provider: 'own', call_as: 'm' },
        ],
      }),
    );
    expect(await bring(own, 'own')).toEqual(counts({ appended: 2 }));
    expect(await bring(own, 'own')).toEqual(counts({ unchanged: 2 }));
    expect(await bring(base)).toEqual(counts({ unchanged: 6, kept: 1 }));
  });

  it('leaves all prices of an offering to whoever set one of their own', async () => {
    await bring(base);
    const own = { model: 'm', provider: 'p', valid_from: 20, tiers: [] };
    await bring(parseDocument(JSON.stringify({ prices: [own] })), 'own');
    const raised = changed('CataloguePrice', { source: 'raised' });
    expect(await bring(raised)).toEqual(counts({ unchanged: 5, kept: 2 }));
    expect(await bring(base.slice(0, 5))).toEqual(counts({ unchanged: 5 }));
  });

  it('takes over a built-in entry that a user says again', async () => {
    await bring(base);
    const own = base.filter(({ record }) => record === 'CatalogueModel');
    expect(await bring(own, 'own')).toEqual(counts({ appended: 1 }));
    expect(await bring(changed('CatalogueModel', { display_name: 'M' }))).toEqual(
      counts({ unchanged: 6, kept: 1 }),
    );
  });

  it('passes over records that no fold would take', async () => {
    const badPrice = parseDocument(
      JSON.stringify({ prices: [{ model: 'm', provider: 'p', valid_from: 0, tiers: [] }] }),
    )[0]!;
    const tiers = [0, 32_000].map((above_input_tokens) => ({
      above_input_tokens,
      input: 1,
      cached_input: null,
      cache_write: null,
      output: null,
      request: null,
    }));
    Object.assign(badPrice.value, { tiers });
    await log.append(TOPIC, 0, [
      { key: null, value: null },
      { key: null, value: Buffer.from('not a record') },
      { key: null, value: encodeEntry(badPrice) },
    ]);
    expect(await bring(base)).toEqual(counts({ appended: 7 }));
  });

  it('goes on where a failed import stopped', async () => {
    const { entries } = builtInCatalogue();
    const many = [...entries, ...manyAliases(600)];
    let appends = 0;
    const failing = {
      bounds: () => log.bounds(),
      read: (topic: string, partition: number, offset: number) =>
        log.read(topic, partition, offset),
      append: (topic: string, partition: number, records: readonly NewRecord[]) => {
        appends += 1;
        if (appends === 2) return Promise.reject(new Error('the log is away'));
        return log.append(topic, partition, records);
      },
    };
    await expect(
      importCatalogue({ log: failing, topic: TOPIC }, many, 'built-in'),
    ).rejects.toThrow();
    const there = log.records.length;
    expect(there).toBeGreaterThan(0);
    expect(await bring(many)).toEqual(counts({ appended: many.length - there, unchanged: there }));
  });
});

function manyAliases(count: number): CatalogueEntry[] {
  return Array.from({ length: count }, (_, index) => ({
    record: 'CatalogueAlias',
    value: { name: `alias-${index}`, model: 'gpt-4o' },
  }));
}
