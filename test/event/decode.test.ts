import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/event/crc32c.js';
import { type DecodeFailure, decode, unknownIds } from '../../src/event/decode.js';
import { assembleBatch, encodeOutcomeBody, encodeRecord } from '../../src/event/encode.js';
import type { DecodedRecord, RequestOutcome } from '../../src/event/outcome.js';
import { brokenRule } from '../../src/event/rules.js';
import { Schemas } from '../../src/event/schemas.js';
import { outcome } from './arbitraries.js';

const example = fc.sample(outcome, { numRuns: 1, seed: 11 })[0]!;
const publisher = Buffer.alloc(16, 5);

describe('decode answers a failure with code, field and rule for', () => {
  it.each<[string, Buffer | null, DecodeFailure['code']]>([
    ['a null value', null, 'undecodable'],
    ['no bytes', Buffer.alloc(0), 'undecodable'],
    ['four bytes', Buffer.alloc(4), 'undecodable'],
    ['another first byte', Buffer.from([1, 0, 0, 0, 1, 0]), 'unknown_magic'],
    ['JSON', Buffer.from('{"model":"gpt-4o"}'), 'unknown_magic'],
    ['an id that is nobody’s', wire(4_711, []), 'unknown_schema'],
    ['an id that is kept for later schemas', wire(99, []), 'unknown_schema'],
    ['a negative id', wire(-1, []), 'unknown_schema'],
    ['no body', wire(1, []), 'undecodable'],
  ])('%s', (_name, value, code) => {
    expect(decode(value, {})).toMatchObject({
      failed: true,
      code,
      field: expect.any(String),
      rule: expect.stringMatching(/./),
      reason: expect.stringMatching(/must be/),
    });
  });

  it('every true prefix of a record, and a record with a byte after it', () => {
    const value = encodeRecord('RequestOutcome', example);
    for (let length = 0; length < value.length; length++) {
      expect(decode(value.subarray(0, length), {})).toMatchObject({ code: 'undecodable' });
    }
    expect(decode(Buffer.concat([value, Buffer.alloc(1)]), {})).toMatchObject({
      code: 'undecodable',
      rule: 'without bytes after its end',
    });
  });

  it.each([
    ['5 bytes that claim 10 million items', 10_000_000],
    ['6 bytes that claim 200 million items', 200_000_000],
    ['a negative count of 200 million items', -200_000_000],
    ['2^52 items', 2 ** 52],
  ])('a batch of %s', (_name, count) => {
    const size = count < 0 ? varint(1) : [];
    const value = wire(2, [...publisher, ...varint(1), ...varint(count), ...size, 0]);
    expect(decode(value, crcOf(value))).toMatchObject({
      code: 'undecodable',
      field: 'outcomes',
      rule: 'a count of items that the bytes left can hold',
    });
  });

  it('a duration beyond 32 bits, which avsc would take in silence', () => {
    const body = outcomeBytes({ duration_ms: varint(2 ** 31) });
    expect(decode(wire(1, body), {})).toMatchObject({
      code: 'undecodable',
      field: 'duration_ms',
      rule: 'an int of 32 bits',
    });
  });

  it.each([
    ['2^53 - 1', varint(2 ** 53 - 1)],
    ['2^63 - 1', [...new Array(9).fill(0xff), 1].with(0, 0xfe)],
    ['-2^63', [...new Array(9).fill(0xff), 1]],
    [
      '-(2^52) - 1, which avsc would read as positive',
      [0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10],
    ],
  ])('%s tokens', (_name, bytes) => {
    const batch = batchOf(outcomeBytes({}), outcomeBytes({ input_tokens: [2, ...bytes] }));
    expect(decode(batch, crcOf(batch))).toMatchObject({
      code: 'undecodable',
      field: 'outcomes[1].input_tokens',
      rule: 'a long of -2^52..2^53-2',
    });
  });

  it('a number of more than ten bytes', () => {
    const body = outcomeBytes({ occurred_at: [...new Array(10).fill(0x80), 0] });
    expect(decode(wire(1, body), {})).toMatchObject({
      field: 'occurred_at',
      rule: 'a varint of at most 10 bytes',
    });
  });

  it.each([
    ['a boolean of 2', 'stream', [2]],
    ['a status beyond the enum', 'status', varint(9)],
    ['a negative status', 'status', varint(-1)],
    ['a branch beyond the union', 'ttft_ms', varint(2)],
    ['a negative branch', 'ttft_ms', varint(-1)],
    ['a text longer than the bytes left', 'model', varint(1_000_000)],
    ['a text of negative length', 'model', varint(-1)],
  ])('%s', (_name, field, bytes) => {
    const value = wire(1, outcomeBytes({ [field]: bytes }));
    expect(decode(value, {})).toMatchObject({ code: 'undecodable', field });
  });

  it('a map key that would set a prototype', () => {
    const decision = {
      decision_id: publisher,
      decided_at: 1,
      as_of: 1,
      tenant: '',
      policy: '',
      policy_hash: '',
      strategy: 'auto',
      algorithm: '',
      state: { generation: 'g', version: 1, vector: JSON.parse('{"__proto__": [1]}') },
      request: '{}',
      request_hashed: false,
      unit: 'none' as const,
      unit_hash: '',
      eligible: [],
      excluded: [],
      slate: [],
      degraded: [],
    };
    expect(decode(encodeRecord('Decision', decision), {})).toMatchObject({
      code: 'undecodable',
      field: 'state.vector[0]',
      rule: 'a map key other than __proto__',
    });
  });
});

describe('the checksum of a batch', () => {
  const { value, headers } = assembleBatch(publisher, 1, [encodeOutcomeBody(example)]);

  it.each([
    ['is missing', {}],
    ['is of three bytes', { crc32c: headers.crc32c.subarray(1) }],
    ['is text', { crc32c: 'abcd' as unknown as Buffer }],
    ['is another one', { crc32c: Buffer.alloc(4) }],
  ])('that %s fails the batch', (_name, broken) => {
    expect(decode(value, broken)).toMatchObject({ failed: true, code: 'crc_mismatch' });
  });

  it('fails the batch for any flipped bit, before anything else is read of it', () => {
    for (let bit = 8 * 5; bit < value.length * 8; bit++) {
      const flipped = Buffer.from(value);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(decode(flipped, headers)).toMatchObject({ code: 'crc_mismatch' });
    }
  });

  it('is not asked of a record of its own', () => {
    expect(decode(encodeRecord('RequestOutcome', example), {})).toMatchObject({
      type: 'RequestOutcome',
    });
  });
});

describe('what decodes', () => {
  it('keeps __proto__ as the name that it is', () => {
    const value = encodeRecord('RequestOutcome', { ...example, model: '__proto__' });
    expect(decode(value, {})).toMatchObject({ value: { model: '__proto__' } });
  });

  it('reads blocks with sizes and several blocks, as other writers make them', () => {
    const [first, second] = [outcomeBytes({}), outcomeBytes({ duration_ms: varint(77) })];
    const value = wire(2, [
      ...publisher,
      ...varint(3),
      ...[...varint(-1), ...varint(first.length), ...first],
      ...[...varint(1), ...second],
      0,
    ]);
    expect(decode(value, crcOf(value))).toMatchObject({
      value: { sequence: 3, outcomes: [{ duration_ms: 1 }, { duration_ms: 77 }] },
    });
  });

  it('is not a block whose stated size is not that of its items', () => {
    const item = outcomeBytes({});
    const sized = (size: number) => [...varint(-1), ...varint(size), ...item];
    const value = wire(2, [...publisher, ...varint(3), ...sized(item.length + 1), 0]);
    expect(decode(value, crcOf(value))).toMatchObject({
      field: 'outcomes',
      rule: 'a block of the size that it states',
    });
  });

  it.each([
    ['is not UTF-8', Buffer.from([0xc3, 0x28])],
    ['is a surrogate in UTF-8', Buffer.from([0xed, 0xa0, 0x80])],
    ['is NUL', Buffer.from([0])],
    ['is of a megabyte', Buffer.alloc(1_000_000, 'x')],
    ['is empty', Buffer.alloc(0)],
  ])('breaks a rule where its model %s: that event alone is at fault', (_name, text) => {
    const body = outcomeBytes({ model: [...varint(text.length), ...text] });
    const decoded = decode(wire(1, body), {}) as DecodedRecord & { type: 'RequestOutcome' };
    expect(decoded.type).toBe('RequestOutcome');
    expect(brokenRule(decoded.value)).toMatchObject({ field: 'model', rule: /256/ });
  });
});

describe('schemas of others', () => {
  const foreign = { type: 'record', name: 'com.example.Other', fields: [] };

  it('are asked for once each, and where an id is not our own', () => {
    const values = [wire(100, []), wire(100, []), wire(7_000, []), wire(1, []), wire(12, [])];
    const none = [null, Buffer.alloc(3), Buffer.from([1, 0, 0, 1, 0])];
    const asked = [...values, ...none].map((value) => ({ value }));
    const known = new Schemas();
    expect(unknownIds(asked, known)).toEqual({ ids: [100, 7_000], through: 8 });
    expect(unknownIds(asked, known, 2)).toEqual({ ids: [100, 7_000], through: 8 });
    expect(unknownIds(asked, known, 1)).toEqual({ ids: [100], through: 2 });
    known.register(100, JSON.stringify(foreign));
    expect(unknownIds(asked, known)).toEqual({ ids: [7_000], through: 8 });
  });

  it('of a record that nothing reads are of the type unknown', () => {
    const known = new Schemas();
    expect(known.register(100, JSON.stringify(foreign))).toBeNull();
    expect(decode(wire(100, [1, 2, 3]), {}, known)).toEqual({ type: 'unknown', value: null });
  });

  it('that were refused say why', () => {
    const known = new Schemas();
    known.register(100, '{');
    expect(decode(wire(100, []), {}, known)).toMatchObject({
      code: 'unknown_schema',
      rule: expect.stringMatching(/^of a schema that can be read, which id 100 is not: .*JSON/),
    });
  });
});

/** Avro bytes of an outcome, field by field, so that one of them can be wrong. */
function outcomeBytes(wrong: Partial<Record<keyof RequestOutcome, number[]>>): number[] {
  const text = (value: string) => [...varint(value.length), ...Buffer.from(value)];
  const right: Record<keyof RequestOutcome, number[]> = {
    event_id: [...Buffer.alloc(16, 9)],
    occurred_at: varint(1_700_000_000_000),
    tenant: text(''),
    region: text(''),
    deployment: text(''),
    request_id: text('r'),
    attempt: varint(0),
    final: [0],
    hedged: [0],
    operation: varint(0),
    model: text('m'),
    provider: text('p'),
    requested_model: [0],
    status: varint(0),
    error_type: [0],
    http_status: [0],
    stream: [0],
    duration_ms: varint(1),
    ttft_ms: [0],
    input_tokens: [0],
    output_tokens: [0],
    cached_input_tokens: [0],
    cache_write_tokens: [0],
    reasoning_tokens: [0],
    cost_nano_usd: [0],
    retry_after_ms: [0],
    ratelimit_remaining: [0],
    decision: [0],
  };
  return Object.values({ ...right, ...wrong }).flat();
}

function batchOf(...items: number[][]): Buffer {
  return wire(2, [...publisher, ...varint(1), ...varint(items.length), ...items.flat(), 0]);
}

function wire(schemaId: number, body: readonly number[]): Buffer {
  const value = Buffer.alloc(5 + body.length);
  value.writeInt32BE(schemaId, 1);
  value.set(body, 5);
  return value;
}

function crcOf(value: Buffer): { crc32c: Buffer } {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(crc32c(value));
  return { crc32c: header };
}

function varint(value: number): number[] {
  const big = BigInt(value);
  const bytes: number[] = [];
  let rest = big < 0n ? -big * 2n - 1n : big * 2n;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}
