import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { between, exp, idFrom, normal, pick, unit, words } from '../../src/demo/draws.js';
import { formatUuid } from '../../src/event/uuid.js';

describe('words', () => {
  it('are the words of a SHA-256, so the same in every language and on every engine', () => {
    // printf 'purpose\0a\0001\0seed' | sha256sum
    const digest = words('seed', 'purpose', 'a', 1).map((word) =>
      word.toString(16).padStart(8, '0'),
    );
    expect(digest.join('')).toBe(
      '8610ead9d69d915c55400a52129c807bbc8f3d47f59e9f5c54c3b3801ee666b8',
    );
  });

  it('differ by seed, purpose and every part', () => {
    const drawn = [
      words('1', 'p', 1, 2),
      words('2', 'p', 1, 2),
      words('1', 'q', 1, 2),
      words('1', 'p', 1, 3),
      words('1', 'p', 12),
      words('1', 'p', 2, 1),
    ].map(String);
    expect(new Set(drawn).size).toBe(drawn.length);
  });
});

describe('exp', () => {
  it('is e^x to twelve digits and more', () => {
    fc.assert(
      fc.property(fc.double({ min: -20, max: 20, noNaN: true }), (x) => {
        expect(Math.abs(exp(x) / Math.exp(x) - 1)).toBeLessThan(1e-13);
      }),
    );
    expect(exp(0)).toBe(1);
  });
});

describe('normal', () => {
  it('has mean 0 and variance 1', () => {
    const drawn = Array.from({ length: 20_000 }, (_, index) => normal('seed', 'test', index));
    const mean = drawn.reduce((sum, x) => sum + x, 0) / drawn.length;
    const variance = drawn.reduce((sum, x) => sum + x * x, 0) / drawn.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.04);
  });
});

describe('unit, between and pick', () => {
  it('stay within their range at both ends', () => {
    expect(unit(0)).toBe(0);
    expect(unit(2 ** 32 - 1)).toBeLessThan(1);
    expect(between(0, [3, 5])).toBe(3);
    expect(between(2 ** 32 - 1, [3, 5])).toBeLessThan(5);
    const items = [
      { item: 'a', weight: 1 },
      { item: 'b', weight: 3 },
    ];
    expect(pick(0, items)).toBe('a');
    expect(pick(2 ** 30 - 1, items)).toBe('a');
    expect(pick(2 ** 30, items)).toBe('b');
    expect(pick(2 ** 32 - 1, items)).toBe('b');
  });
});

describe('idFrom', () => {
  it('has the shape of a UUID and follows from its arguments', () => {
    expect(formatUuid(idFrom('7', 'event', 1, 0))).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(idFrom('7', 'event', 1, 0)).toEqual(idFrom('7', 'event', 1, 0));
  });

  it('differs by seed, purpose and part', () => {
    const ids = [
      idFrom('7', 'event', 1, 0),
      idFrom('8', 'event', 1, 0),
      idFrom('7', 'decision', 1, 0),
      idFrom('7', 'event', 1, 1),
      idFrom('7', 'event', 10),
    ].map(formatUuid);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
