import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHeaders, encodeHeaders } from '../../src/log/embedded-headers.js';

const bytes = fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array));

describe('headers of the embedded log', () => {
  it('come back as they were, whatever their names and bytes are', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), bytes)), (entries) => {
        const headers = Object.fromEntries(entries);
        const text = encodeHeaders(headers);
        // Postgres's text holds no zero byte.
        expect(text ?? '').not.toContain('\0');
        expect(decodeHeaders(text)).toEqual(headers);
      }),
    );
  });

  it('take no place where there are none', () => {
    expect(encodeHeaders({})).toBeNull();
    expect(encodeHeaders(undefined)).toBeNull();
    expect(decodeHeaders(null)).toEqual({});
  });
});
