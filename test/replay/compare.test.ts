import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Table } from '../../src/fold/tables.js';
import { firstDifferences } from '../../src/replay/compare.js';

const TABLE: Table = {
  name: 'outcome_minute',
  source: 'outcomes',
  time: 'minute',
  keys: [
    { name: 'minute', type: 'int4' },
    { name: 'offering', type: 'text' },
    { name: 'stream', type: 'bool' },
  ],
  values: [{ name: 'events', type: 'int8', merge: 'sum' }],
};

type Row = [string, string, string, string];

/** As the database sorts: numbers, then bytes, then false before true. */
const inKeyOrder = (rows: Row[]): Row[] =>
  [...rows].sort(
    (a, b) =>
      Number(a[0]) - Number(b[0]) ||
      Buffer.compare(Buffer.from(a[1]), Buffer.from(b[1])) ||
      Number(a[2] === 'true') - Number(b[2] === 'true'),
  );

async function* pages(rows: Row[], size: number) {
  for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size);
}

const anyRows: fc.Arbitrary<Row[]> = fc
  .uniqueArray(
    fc.record({
      minute: fc.integer({ min: 8, max: 12 }),
      offering: fc.constantFrom('a', 'B', 'ä', '\u{1F600}', '\uFFFD'),
      stream: fc.boolean(),
      events: fc.integer({ min: 0, max: 2 }),
    }),
    { selector: ({ minute, offering, stream }) => `${minute}${offering}${stream}` },
  )
  .map((rows) =>
    inKeyOrder(
      rows.map((row): Row => [`${row.minute}`, row.offering, `${row.stream}`, `${row.events}`]),
    ),
  );

describe('the first differences of two tables', () => {
  it('I6 are the first five in key order, whichever side lacks a row', async () => {
    const key = (row: Row): string => row.slice(0, 3).join('/');
    await fc.assert(
      fc.asyncProperty(anyRows, anyRows, fc.integer({ min: 1, max: 4 }), async (a, b, size) => {
        const [live, rebuilt] = [a, b].map((rows) => new Map(rows.map((row) => [key(row), row])));
        const all = inKeyOrder([...new Map([...live!, ...rebuilt!]).values()]);
        const expected = all
          .map(key)
          .filter((each) => live!.get(each)?.[3] !== rebuilt!.get(each)?.[3])
          .slice(0, 5);
        const found = await firstDifferences(TABLE, pages(a, size), pages(b, 3));
        expect(found.map((each) => Object.values(each.key).join('/'))).toEqual(expected);
      }),
    );
  });

  it('show the columns that differ, and a row whole that one side lacks', async () => {
    const live: Row[] = [
      ['7', 'a', 'true', '1'],
      ['8', 'a', 'true', '1'],
    ];
    const rebuilt: Row[] = [['7', 'a', 'true', '2']];
    expect(await firstDifferences(TABLE, pages(live, 1), pages(rebuilt, 1))).toEqual([
      {
        key: { minute: '7', offering: 'a', stream: 'true' },
        live: { events: '1' },
        rebuilt: { events: '2' },
      },
      {
        key: { minute: '8', offering: 'a', stream: 'true' },
        live: { events: '1' },
        rebuilt: null,
      },
    ]);
  });
});
