import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/event/crc32c.js';
import { decode } from '../../src/event/decode.js';
import {
  assembleBatch,
  batchOverheadBytes,
  encodeOutcomeBody,
  encodeRecord,
  type Writable,
} from '../../src/event/encode.js';
import type { DecodedRecord, FoldedOutcome, RequestOutcome } from '../../src/event/outcome.js';
import { BODY_START } from '../../src/event/wire.js';
import { id, long, outcome, records } from './arbitraries.js';

const sequence = long.map((it) => Math.max(1, it));
const example = fc.sample(outcome, { numRuns: 1, seed: 7 })[0]!;

describe('a record of its own', () => {
  it.each(Object.keys(records) as (keyof Writable)[])('%s decodes to what was encoded', (name) => {
    fc.assert(
      fc.property(records[name] as fc.Arbitrary<Writable[typeof name]>, (value) => {
        const expected =
          name === 'RequestOutcome' ? folded(value as RequestOutcome) : (value as object);
        expect(plain(decode(encodeRecord(name, value), {}))).toEqual({
          type: name,
          value: expected,
        });
      }),
    );
  });

  it('takes a plain Uint8Array for a UUID', () => {
    const uuids = (bytes: Uint8Array): RequestOutcome => ({
      ...example,
      event_id: bytes,
      decision: { decision_id: bytes, rank: 0, propensity: 1 },
    });
    const bytes = new Uint8Array(16).fill(7);
    expect(encodeOutcomeBody(uuids(bytes))).toEqual(encodeOutcomeBody(uuids(Buffer.from(bytes))));
  });

  it('keeps a value that is longer than anything before it', () => {
    const document = 'x'.repeat(3_000_000);
    const value = encodeRecord('Policy', { name: 'p', document, hash: '' });
    expect(decode(value, {})).toMatchObject({ type: 'Policy', value: { document } });
  });

  it('does not change when the next one is encoded', () => {
    const body = encodeOutcomeBody(example);
    const before = Buffer.from(body);
    encodeOutcomeBody({ ...example, model: 'another', tenant: 'another' });
    expect(body).toEqual(before);
  });

  it.each([
    ['duration_ms', 2 ** 31],
    ['duration_ms', 0.5],
    ['input_tokens', 2 ** 53 - 1],
    ['input_tokens', Number.NaN],
    ['event_id', Buffer.alloc(15)],
    ['model', undefined],
  ])('refuses %s = %s, which its Avro type cannot hold', (field, value) => {
    const broken = { ...example, [field]: value } as RequestOutcome;
    expect(() => encodeOutcomeBody(broken)).toThrow(
      expect.objectContaining({ code: 'rule_broken', field }),
    );
  });
});

describe('a batch', () => {
  it('decodes to the outcomes that went in, in their order', () => {
    fc.assert(
      fc.property(id, sequence, fc.array(outcome, { maxLength: 20 }), (publisher, n, outcomes) => {
        const { value, headers } = assembleBatch(publisher, n, outcomes.map(encodeOutcomeBody));
        expect(plain(decode(value, headers))).toEqual({
          type: 'OutcomeBatch',
          value: { publisher, sequence: n, outcomes: outcomes.map(folded) },
        });
      }),
    );
  });

  it('holds the very bytes of each outcome alone, and at most the stated bytes beside them', () => {
    fc.assert(
      fc.property(id, sequence, fc.array(outcome, { maxLength: 200 }), (publisher, n, outcomes) => {
        const bodies = outcomes.map(encodeOutcomeBody);
        const { value } = assembleBatch(publisher, n, bodies);
        const all = Buffer.concat(bodies);
        expect(value.subarray(value.length - 1 - all.length, -1)).toEqual(all);
        expect(value.length - all.length).toBeLessThanOrEqual(batchOverheadBytes);
        const alone = outcomes.map((it) => encodeRecord('RequestOutcome', it));
        expect(alone.map((it) => it.subarray(BODY_START))).toEqual(bodies);
      }),
      { numRuns: 30 },
    );
  });

  it('has a header with the CRC-32C of the whole value, big-endian', () => {
    const { value, headers } = assembleBatch(Buffer.alloc(16), 1, [encodeOutcomeBody(example)]);
    expect(headers.crc32c).toHaveLength(4);
    expect(headers.crc32c.readUInt32BE(0)).toBe(crc32c(value));
  });

  it.each([0, -1, Number.NaN, 2 ** 53 - 1])('is refused the sequence %s', (n) => {
    expect(() => assembleBatch(Buffer.alloc(16), n, [])).toThrow();
  });

  it('is refused a publisher that is not 16 bytes', () => {
    expect(() => assembleBatch(Buffer.alloc(15), 1, [])).toThrow(RangeError);
  });
});

function folded(whole: RequestOutcome): FoldedOutcome {
  const { request_id, final, hedged, requested_model, decision, ...rest } = whole;
  return rest;
}

/** Plain objects, so that only names and values are compared. */
function plain(decoded: unknown): unknown {
  const copy = (value: unknown): unknown => {
    if (Buffer.isBuffer(value) || typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(copy);
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copy(part)]));
  };
  return copy(decoded as DecodedRecord);
}
