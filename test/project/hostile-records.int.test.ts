import { afterAll, beforeAll, expect, it } from 'vitest';
import { deadLetterLines } from '../../src/commands/dlq-list.js';
import { assembleBatch, encodeOutcomeBody, encodeRecord } from '../../src/event/encode.js';
import type { RequestOutcome } from '../../src/event/outcome.js';
import type { Headers } from '../../src/log/port.js';
import type { Parts } from '../../src/roles/parts.js';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';
import { type TestDatabase, testDatabase } from '../postgres.js';
import { testWorld } from './projection.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const LONG_MAX = 2 ** 53 - 2;
let ids = 0;
const event = (fields: Partial<RequestOutcome> = {}): RequestOutcome => {
  ids += 1;
  return outcome({ event_id: idOf(ids), ...fields });
};
const one = (fields: Partial<RequestOutcome> = {}): Buffer =>
  encodeRecord('RequestOutcome', event(fields));

/** The bytes of a text in an encoded outcome, replaced by others of the same length. */
function withBytes(text: string, bytes: number[]): Buffer {
  const value = one({ model: text });
  value.set(bytes, value.indexOf(text));
  return value;
}

/** An outcome whose time is a varint of 10 bytes: the largest and the smallest long. */
function withLong(bytes: number[]): Buffer {
  const value = one({ occurred_at: 0 });
  return Buffer.concat([value.subarray(0, 21), Buffer.from(bytes), value.subarray(22)]);
}

function batchOf(...outcomes: RequestOutcome[]): { value: Buffer; headers: Headers } {
  ids += 1;
  return assembleBatch(idOf(ids), 1, outcomes.map(encodeOutcomeBody));
}

interface Hostile {
  value: Buffer | null;
  headers?: Headers;
  /** `index code` of what is parked of it; the rest counts. */
  parked: string[];
  /** Events that it counts as. */
  events?: number;
}

const surrogates = event({ model: '\ud800 alone' });
const hostile: Record<string, Hostile> = {
  'a tombstone': { value: null, parked: ['-1 undecodable'] },
  'nothing but the header': { value: Buffer.from([0, 0, 0, 0]), parked: ['-1 undecodable'] },
  'the wrong magic': { value: Buffer.from('{"model":"m"}'), parked: ['-1 unknown_magic'] },
  'an unknown schema of ours': {
    value: Buffer.from([0, 0, 0, 0, 99, 1]),
    parked: ['-1 unknown_schema'],
  },
  'an unknown schema of others': {
    value: Buffer.from([0, 0, 0, 39, 15, 1]),
    parked: ['-1 unknown_schema'],
  },
  'a negative schema id': {
    value: Buffer.alloc(9, 255).fill(0, 0, 1),
    parked: ['-1 unknown_schema'],
  },
  'its end cut off': { value: one().subarray(0, -3), parked: ['-1 undecodable'] },
  'bytes after its end': {
    value: Buffer.concat([one(), Buffer.from([0])]),
    parked: ['-1 undecodable'],
  },
  'a megabyte of noise': { value: Buffer.alloc(1_000_000, 7), parked: ['-1 unknown_magic'] },
  'a batch that claims ten million': {
    value: Buffer.concat([batchOf().value.subarray(0, 22), Buffer.from([0x80, 0xda, 0xc4, 0x09])]),
    parked: ['-1 crc_mismatch'],
  },
  'a batch without its checksum': { value: batchOf(event()).value, parked: ['-1 crc_mismatch'] },
  'the largest int64': {
    value: withLong([0xfe, ...Array(8).fill(0xff), 1]),
    parked: ['-1 undecodable'],
  },
  'the smallest int64': {
    value: withLong([...Array(9).fill(0xff), 1]),
    parked: ['-1 undecodable'],
  },
  'the largest count': {
    value: one({ input_tokens: LONG_MAX, cost_nano_usd: LONG_MAX }),
    parked: [],
  },
  'a count below 0': { value: one({ input_tokens: -1 }), parked: ['0 rule_broken'] },
  'a time beyond every calendar': {
    value: one({ occurred_at: LONG_MAX }),
    parked: ['0 rule_broken'],
  },
  'NaN where nothing is folded': {
    value: one({ decision: { decision_id: Buffer.alloc(16), rank: 0, propensity: Number.NaN } }),
    parked: [],
  },
  'a NUL in a text': { value: one({ model: 'a\u0000b' }), parked: ['0 rule_broken'] },
  'a lone surrogate': {
    value: encodeRecord('RequestOutcome', surrogates),
    parked: ['0 rule_broken'],
  },
  'bytes that are no UTF-8': {
    value: withBytes('xxx', [0xed, 0xa0, 0x80]),
    parked: ['0 rule_broken'],
  },
  'a text of a megabyte': {
    value: one({ tenant: 'x'.repeat(1_000_000) }),
    parked: ['0 rule_broken'],
  },
  'the name of a prototype': {
    value: one({ model: '__proto__', provider: 'constructor', tenant: 'toString' }),
    parked: [],
  },
  'a batch with some of these': {
    ...batchOf(event(), event({ provider: '' }), event({ model: '\u0000' }), event()),
    parked: ['1 rule_broken', '2 rule_broken'],
    events: 4,
  },
};

it('I9 parks each kind of bad record once, with its place and code, and the rest counts', async () => {
  const world = await testWorld(database);
  const { log, topics } = world;
  const projection = world.projection();
  const kinds = Object.entries(hostile);
  for (const [, { value, headers = {} }] of kinds) {
    await log.append(topics.outcomes, 0, [
      { key: null, value, headers, timestampMs: START_MS },
      { key: null, value: one(), timestampMs: START_MS },
    ]);
  }
  await projection.start();
  await projection.caughtUp();
  const parts = { log, topics, pool: database.pool, schema: projection.schema } as Parts;
  const listed: string[] = [];
  for await (const { offset, index, code, state } of deadLetterLines(parts)) {
    listed.push(`${kinds[offset / 2]?.[0]}: ${index} ${code}, ${state}`);
  }
  const expected = kinds.flatMap(([name, { parked }]) =>
    parked.map((it) => `${name}: ${it}, parked`),
  );
  expect(listed).toEqual(expected);
  const events = kinds.reduce((sum, [, { events = 1 }]) => sum + events + 1, 0);
  expect((await projection.books())[0]).toMatchObject({
    read: events,
    applied: events - expected.length,
    dead_lettered: expected.length,
    closed: true,
  });
  const { rows } = await database.pool.query<{ offering: string }>(
    `select distinct offering from "${projection.schema}".outcome_minute order by 1`,
  );
  expect(rows.map(({ offering }) => offering)).toEqual(['__proto__|constructor||', 'm|p||']);
  const rebuilt = world.projection();
  await rebuilt.start();
  await rebuilt.caughtUp();
  expect(await rebuilt.checksum()).toBe(await projection.checksum());
  expect((await log.bounds(topics.deadLetters, 0)).end).toBe(expected.length);
  await world.close();
});
