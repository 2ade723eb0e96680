import type { FetchAnswer, FetchCall } from 'kafkajs/src/protocol/requests/fetch/index.js';
import { AiRouterError } from '../errors.js';
import { crc32c } from '../event/crc32c.js';

/**
 * A fetch whose answer is refused where a record batch is not as its CRC-32C says. kafkajs does not
 * look at it: a bit that was turned on the way would be folded, or parked as if the log held it.
 * What is read again comes whole, or the log itself is damaged and the partition waits.
 */
export function withCheckedBatches(call: FetchCall<FetchAnswer>): FetchCall<FetchAnswer> {
  const { response } = call;
  return {
    ...call,
    response: {
      ...response,
      async decode(payload) {
        requireWholeBatches(payload);
        return response.decode(payload);
      },
    },
  };
}

/** Version 2 of Kafka's format, since 0.11; older ones have another checksum and are not checked. */
const MAGIC = 2;
/** Of one batch: where what follows its length begins, its magic, its CRC and what that covers. */
const BATCH = { lengthAt: 8, contentAt: 12, magicAt: 16, crcAt: 17, coveredAt: 21 };

/** Throttle time, error code and session id stand before the topics. */
const TOPICS_AT = 10;
/** Number, error code, high watermark, last stable offset and start of a partition. */
const PARTITION_HEAD_BYTES = 30;
/** Producer id and first offset. */
const ABORTED_BYTES = 16;

/**
 * Of a fetch answer, version 7 to 10: throws `log_unavailable` where a batch is damaged. Lengths
 * that lead beyond the answer are left to the decoder, which takes them for the cut end of it.
 */
export function requireWholeBatches(answer: Buffer): void {
  let at = TOPICS_AT;
  const int32 = (): number => {
    at += 4;
    return answer.readInt32BE(at - 4);
  };
  for (let topics = int32(); topics > 0; topics -= 1) {
    at += 2 + answer.readInt16BE(at);
    for (let partitions = int32(); partitions > 0; partitions -= 1) {
      at += PARTITION_HEAD_BYTES;
      const aborted = Math.max(0, int32());
      at += aborted * ABORTED_BYTES;
      const bytes = Math.max(0, int32());
      requireWhole(answer.subarray(at, at + bytes));
      at += bytes;
    }
  }
}

function requireWhole(batches: Buffer): void {
  for (let at = 0; at + BATCH.coveredAt <= batches.length; ) {
    const end = at + BATCH.contentAt + batches.readInt32BE(at + BATCH.lengthAt);
    // The last one may be cut: a broker sends as many bytes as were asked for.
    if (end > batches.length || end <= at) return;
    if (batches.readInt8(at + BATCH.magicAt) !== MAGIC) return;
    const expected = batches.readUInt32BE(at + BATCH.crcAt);
    if (crc32c(batches, at + BATCH.coveredAt, end) !== expected) throw damaged(batches, at);
    at = end;
  }
}

function damaged(batches: Buffer, at: number): AiRouterError {
  return new AiRouterError(
    'log_unavailable',
    `the record batch at offset ${batches.readBigInt64BE(at)} came with another checksum`,
  );
}
