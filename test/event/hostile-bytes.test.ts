import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/event/crc32c.js';
import { decode } from '../../src/event/decode.js';
import {
  assembleBatch,
  encodeOutcomeBody,
  encodeRecord,
  type Writable,
} from '../../src/event/encode.js';
import { brokenRuleOfCatalogue } from '../../src/event/rules.js';
import { schemas } from '../../src/event/schemas.js';
import { BODY_START } from '../../src/event/wire.js';
import { id, outcome, records } from './arbitraries.js';

const SEED = 20_261;
const valid: Buffer[] = [...recordsOfEveryType(), ...batches()];

describe('whatever the bytes', () => {
  it('decode answers with a value for 100,000 random and damaged records', () => {
    const random = generator(SEED);
    const answers = { decoded: 0, failed: 0 };
    for (let i = 0; i < 100_000; i++) {
      const value = damaged(random);
      const answer = decode(value, withCrc(value));
      if (!('failed' in answer)) {
        answers.decoded += 1;
        continue;
      }
      answers.failed += 1;
      expect(answer.rule).not.toBe('');
      // The walk refuses all that avsc would: avsc's own refusal is never reached.
      expect(answer.rule).not.toMatch(/^a [A-Z]/);
    }
    expect(Math.min(answers.decoded, answers.failed)).toBeGreaterThan(1_000);
  });

  it('the walk looks at each byte a few times at most, and at none beyond the end (I11)', () => {
    const random = generator(SEED + 1);
    for (let i = 0; i < 2_000; i++) {
      const value = damaged(random);
      const writer = value.length < BODY_START ? undefined : schemas.writer(value.readInt32BE(1));
      if (writer === undefined || writer === 'unknown') continue;
      const reads = new Map<PropertyKey, number>();
      writer.walk.check(counted(value, reads), BODY_START);
      for (const count of reads.values()) expect(count).toBeLessThanOrEqual(12);
      expect([...reads.keys()].every((at) => Number(at) <= value.length)).toBe(true);
    }
  });

  it('a million of the emptiest items in as many bytes are read, and refused by their rule', () => {
    const model = fc.sample(records.CatalogueModel, { numRuns: 1, seed: 4 })[0]!;
    const capabilities = new Array<string>(1_000_000).fill('');
    const decoded = decode(encodeRecord('CatalogueModel', { ...model, capabilities }), {});
    if ('failed' in decoded || decoded.type !== 'CatalogueModel') throw new Error('not decoded');
    expect(decoded.value.capabilities).toHaveLength(1_000_000);
    expect(brokenRuleOfCatalogue(decoded)).toMatchObject({ field: 'capabilities' });
  });
});

function recordsOfEveryType(): Buffer[] {
  return (Object.keys(records) as (keyof Writable)[]).flatMap((name) => {
    const values = fc.sample(records[name] as fc.Arbitrary<Writable[typeof name]>, {
      numRuns: 20,
      seed: SEED,
    });
    return values.map((value) => encodeRecord(name, value));
  });
}

function batches(): Buffer[] {
  const samples = fc.sample(fc.tuple(id, fc.array(outcome, { maxLength: 10 })), {
    numRuns: 40,
    seed: SEED,
  });
  return samples.map(
    ([publisher, outcomes], i) =>
      assembleBatch(publisher, i + 1, outcomes.map(encodeOutcomeBody)).value,
  );
}

type Random = (below: number) => number;

/** Random bytes, or a valid record with flipped bits, a cut, a splice or new bytes in it. */
function damaged(random: Random): Buffer {
  const original = valid[random(valid.length)]!;
  switch (random(6)) {
    case 0: {
      const bytes = Buffer.from(Array.from({ length: random(200) }, () => random(256)));
      // Mostly behind the header of some schema, so that there is something to walk.
      return random(4) === 0 ? bytes : Buffer.concat([original.subarray(0, BODY_START), bytes]);
    }
    case 1:
      return original.subarray(0, random(original.length));
    case 2: {
      const other = valid[random(valid.length)]!;
      const head = original.subarray(0, random(original.length));
      return Buffer.concat([head, other.subarray(random(other.length))]);
    }
    case 3:
      return overwritten(original, random, 1 + random(8), () => random(256));
    case 4:
      return overwritten(original, random, 1, () => [0xff, 0x80, 0x01, 0x00][random(4)]!);
    default:
      return overwritten(original, random, 1 + random(3), (byte) => byte ^ (1 << random(8)));
  }
}

function overwritten(
  original: Buffer,
  random: Random,
  times: number,
  change: (byte: number) => number,
): Buffer {
  const copy = Buffer.from(original);
  for (let i = 0; i < times && copy.length > BODY_START; i++) {
    const at = BODY_START + random(copy.length - BODY_START);
    copy[at] = change(copy[at]!);
  }
  return copy;
}

/** The checksum is right, so that the bytes themselves are judged. */
function withCrc(value: Buffer): { crc32c: Buffer } {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(crc32c(value));
  return { crc32c: header };
}

/** The bytes, counting how often each is read. */
function counted(value: Buffer, reads: Map<PropertyKey, number>): Uint8Array {
  return new Proxy(value, {
    get(target, key) {
      if (typeof key === 'string' && /^-?\d+$/.test(key)) reads.set(key, (reads.get(key) ?? 0) + 1);
      const property: unknown = Reflect.get(target, key, target);
      return typeof property === 'function' ? property.bind(target) : property;
    },
  });
}

/** mulberry32: small, seeded, the same everywhere. */
function generator(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
