import { crc32 } from 'node:zlib';
import type { Batch } from './batch.js';

/**
 * How batches lie in a spool segment. All numbers are big-endian.
 *
 *     segment = "ARSP" u32 version, then frames
 *     frame   = u32 bytes of the body, u32 CRC-32 of the body, body
 *     body    = f64 assembledAtMs, u32 outcomes,
 *               u8 headers, each: u8 bytes of the name, name, u16 bytes of the value, value;
 *               then the value of the record up to the end
 *
 * Length and CRC show where a write did not finish, wherever the process was killed.
 */
export const SEGMENT_HEADER = Buffer.from([0x41, 0x52, 0x53, 0x50, 0, 0, 0, 1]);
export const FRAME_PREFIX_BYTES = 8;
const BODY_FIXED_BYTES = 8 + 4 + 1;

/** Bytes that the batch takes in a segment. */
export function frameBytes(batch: Batch): number {
  let bytes = FRAME_PREFIX_BYTES + BODY_FIXED_BYTES + batch.value.length;
  for (const [name, value] of Object.entries(batch.headers)) {
    bytes += 3 + Buffer.byteLength(name) + value.length;
  }
  return bytes;
}

export function encodeFrame(batch: Batch): Buffer {
  const frame = Buffer.allocUnsafe(frameBytes(batch));
  const headers = Object.entries(batch.headers);
  let at = FRAME_PREFIX_BYTES;
  at = frame.writeDoubleBE(batch.assembledAtMs, at);
  at = frame.writeUInt32BE(batch.outcomes, at);
  at = frame.writeUInt8(headers.length, at);
  for (const [name, value] of headers) {
    at = frame.writeUInt8(Buffer.byteLength(name), at);
    at += frame.write(name, at);
    at = frame.writeUInt16BE(value.length, at);
    at += value.copy(frame, at);
  }
  batch.value.copy(frame, at);
  const body = frame.subarray(FRAME_PREFIX_BYTES);
  frame.writeUInt32BE(body.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return frame;
}

/** Bytes of the body that the prefix announces; null where no body can have that length. */
export function bodyLengthOf(prefix: Buffer, bytesLeft: number): number | null {
  const length = prefix.readUInt32BE(0);
  return length >= BODY_FIXED_BYTES && length <= bytesLeft ? length : null;
}

/** The batch of a frame; null where the CRC does not match. */
export function decodeFrame(prefix: Buffer, body: Buffer, isRecovered: boolean): Batch | null {
  if (crc32(body) !== prefix.readUInt32BE(4)) return null;
  const headers: Record<string, Buffer> = {};
  let at = BODY_FIXED_BYTES;
  for (let left = body.readUInt8(BODY_FIXED_BYTES - 1); left > 0; left -= 1) {
    const name = body.toString('utf8', at + 1, at + 1 + body.readUInt8(at));
    at += 1 + body.readUInt8(at);
    headers[name] = body.subarray(at + 2, at + 2 + body.readUInt16BE(at));
    at += 2 + body.readUInt16BE(at);
  }
  return {
    value: body.subarray(at),
    headers,
    outcomes: body.readUInt32BE(8),
    assembledAtMs: body.readDoubleBE(0),
    isRecovered,
  };
}
