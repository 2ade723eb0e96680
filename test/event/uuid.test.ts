import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AiRouterError } from '../../src/errors.js';
import { formatUuid, parseUuid, uuidV7, uuidV8 } from '../../src/event/uuid.js';
import { packageRoot } from '../../src/package-root.js';

const golden = JSON.parse(readFileSync(join(packageRoot, 'schemas/event-id.json'), 'utf8')) as {
  uuid_v8: { source: string; foreign_id: string; uuid: string }[];
  uuid_v7: { ms: number; random: string; uuid: string }[];
};

const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 });

describe('uuidV8', () => {
  it.each(golden.uuid_v8)('gives $uuid for $source and $foreign_id', (vector) => {
    expect(formatUuid(uuidV8(vector.source, vector.foreign_id))).toBe(vector.uuid);
  });

  it('tells (a, bc) from (ab, c)', () => {
    expect(uuidV8('a', 'bc')).not.toEqual(uuidV8('ab', 'c'));
  });

  it.each([
    ['source', 'a\0b', 'c'],
    ['source', '\ud800', 'c'],
    ['foreign_id', 'a', 'x\udc00'],
  ])('refuses a %s that would make two pairs one id (I2)', (field, source, foreignId) => {
    const attempt = () => uuidV8(source, foreignId);
    expect(attempt).toThrow(AiRouterError);
    expect(attempt).toThrow(expect.objectContaining({ code: 'rule_broken', field }));
  });
});

describe('uuidV7', () => {
  it.each(golden.uuid_v7)('gives $uuid for $ms ms', ({ ms, random, uuid }) => {
    expect(formatUuid(uuidV7(ms, Buffer.from(random, 'hex')))).toBe(uuid);
  });

  it('sorts by time, carries version 7 and variant 10, and leaves the random bytes alone', () => {
    const ms = fc.integer({ min: 0, max: 2 ** 48 - 1 });
    fc.assert(
      fc.property(ms, ms, bytes16, bytes16, (a, b, random, other) => {
        const before = Uint8Array.from(random);
        const first = uuidV7(a, random);
        expect(random).toEqual(before);
        expect([first[6]! >> 4, first[8]! >> 6]).toEqual([7, 2]);
        expect(first.readUIntBE(0, 6)).toBe(a);
        if (a < b) expect(Buffer.compare(first, uuidV7(b, other))).toBe(-1);
      }),
    );
  });

  it.each([-1, 0.5, 2 ** 48, Number.NaN])('refuses %s ms', (ms) => {
    expect(() => uuidV7(ms, Buffer.alloc(16))).toThrow(RangeError);
  });

  it('refuses fewer than 16 random bytes', () => {
    expect(() => uuidV7(0, Buffer.alloc(15))).toThrow(RangeError);
  });
});

describe('parseUuid', () => {
  it('reads what formatUuid writes, in either case', () => {
    fc.assert(
      fc.property(bytes16, (bytes) => {
        const text = formatUuid(bytes);
        expect(text).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
        expect([...parseUuid(text)!]).toEqual([...bytes]);
        expect([...parseUuid(text.toUpperCase())!]).toEqual([...bytes]);
      }),
    );
  });

  it.each([
    '',
    '017f22e279b07cc398c4dc0c0c07398f',
    '017f22e2-79b0-7cc3-98c4-dc0c0c07398',
    '017f22e2-79b0-7cc3-98c4-dc0c0c07398f ',
    '017f22e2-79b0-7cc3-98c4-dc0c0c07398g',
    '{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}',
    '017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n',
  ])('answers null for %j', (text) => {
    expect(parseUuid(text)).toBeNull();
  });
});
