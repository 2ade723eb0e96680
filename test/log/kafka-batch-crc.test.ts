import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/event/crc32c.js';
import { requireWholeBatches } from '../../src/log/kafka-batch-crc.js';

function int(bytes: 2 | 4 | 8, value: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeIntBE(value, Math.max(0, bytes - 6), Math.min(6, bytes));
  return buffer;
}

/** A record batch as brokers write it: attributes and records are bytes like any others. */
function batchOf(offset: number, content: Uint8Array): Buffer {
  const covered = Buffer.from(content);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32c(covered));
  const rest = Buffer.concat([int(4, 7), Buffer.of(2), crc, covered]);
  return Buffer.concat([int(8, offset), int(4, rest.length), rest]);
}

function answerOf(batches: readonly Buffer[], aborted = 0): Buffer {
  const records = Buffer.concat(batches);
  const partition = [int(4, 3), int(2, 0), int(8, 9), int(8, 9), int(8, 0), int(4, aborted)];
  partition.push(Buffer.alloc(Math.max(0, aborted) * 16), int(4, records.length), records);
  const topic = [int(2, 1), Buffer.from('t'), int(4, 1), ...partition];
  return Buffer.concat([Buffer.alloc(10), int(4, 1), ...topic]);
}

const contents = fc.array(fc.uint8Array({ minLength: 40, maxLength: 200 }), {
  minLength: 1,
  maxLength: 4,
});
const aborted = fc.integer({ min: -1, max: 3 });

describe('the record batches of a fetch answer', () => {
  it('pass as they were written, also with a cut end', () => {
    fc.assert(
      fc.property(contents, aborted, fc.nat({ max: 30 }), (each, transactions, cut) => {
        const batches = each.map((content, n) => batchOf(n, content));
        batches.push(batchOf(9, Buffer.alloc(50)).subarray(0, cut));
        requireWholeBatches(answerOf(batches, transactions));
      }),
    );
  });

  it('are refused with any bit turned that their checksum covers, to be read again (I1 I9)', () => {
    fc.assert(
      fc.property(contents, fc.nat(), fc.nat({ max: 7 }), (each, place, bit) => {
        const batches = each.map((content, n) => batchOf(n, content));
        const damaged = batches[place % batches.length]!;
        const at = 17 + (place % (damaged.length - 17));
        damaged[at] = damaged[at]! ^ (1 << bit);
        expect(() => requireWholeBatches(answerOf(batches))).toThrow(
          expect.objectContaining({ code: 'log_unavailable' }),
        );
      }),
    );
  });

  it('of an older format are left to the decoder', () => {
    const old = batchOf(0, Buffer.alloc(60));
    old[16] = 1;
    requireWholeBatches(answerOf([old]));
  });
});
