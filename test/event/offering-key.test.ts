import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Offering } from '../../src/event/offering-key.js';
import { OTHER_OFFERING, offeringKey, parseOfferingKey } from '../../src/event/offering-key.js';
import { partitionOf } from '../../src/event/partition.js';
import { packageRoot } from '../../src/package-root.js';

type Vector = Offering & { text: string; partition_of_6: number };
const file = readFileSync(join(packageRoot, 'schemas/offering-key.json'), 'utf8');
const { vectors } = JSON.parse(file) as { vectors: Vector[] };

const part = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('', '__proto__', '%', '%7C', '|', '{}', '\0\x1f\x7f\x9f', '😀', 'toString'),
);
const offering = fc.record({ model: part, provider: part, deployment: part, region: part });

describe('the key text of an offering', () => {
  it.each(vectors)('is $text', ({ text, partition_of_6, ...parts }) => {
    expect(offeringKey(parts)).toBe(text);
    expect(parseOfferingKey(text)).toEqual(parts);
    expect(partitionOf(text, 6)).toBe(partition_of_6);
  });

  it('gives the parts back, whatever they hold', () => {
    fc.assert(
      fc.property(offering, (parts) => {
        expect(parseOfferingKey(offeringKey(parts))).toEqual(parts);
      }),
    );
  });

  it('is another one for another offering', () => {
    fc.assert(
      fc.property(offering, offering, (a, b) => {
        const isSame = JSON.stringify(a) === JSON.stringify(b);
        expect(offeringKey(a) === offeringKey(b)).toBe(isSame);
      }),
    );
  });

  it('holds no brace, no control character and exactly three separators', () => {
    fc.assert(
      fc.property(offering, (parts) => {
        const text = offeringKey(parts);
        expect(text).not.toMatch(/[{}\p{Cc}]/u);
        expect(text.split('|')).toHaveLength(4);
      }),
    );
  });

  it('is ||| where all parts are empty: where keys beyond the limit fold to', () => {
    expect(offeringKey({ model: '', provider: '', deployment: '', region: '' })).toBe(
      OTHER_OFFERING,
    );
  });

  it.each([
    '',
    'a',
    'a|b|c',
    'a|b|c|d|e',
    'a|b|c|%',
    'a|b|c|%zz',
    'a|b|c|%41',
    'a|b|c|%7c',
    'a|b|c|{',
  ])('is not %j, which offeringKey never makes', (text) => {
    expect(parseOfferingKey(text)).toBeNull();
  });
});
