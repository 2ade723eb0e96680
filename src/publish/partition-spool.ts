import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Batch } from './batch.js';
import type { Condition, PublisherLogger } from './condition.js';
import {
  bodyLengthOf,
  decodeFrame,
  encodeFrame,
  FRAME_PREFIX_BYTES,
  frameBytes,
  SEGMENT_HEADER,
} from './spool-frame.js';
import type { PublisherStats } from './stats.js';

/** Large enough for few files, small enough that little is sent twice after a restart. */
const SEGMENT_BYTES_MAX = 1024 * 1024;

export interface Segment {
  path: string;
  number: number;
  /** Up to here it holds frames that are known to be written, or were found at the start. */
  bytes: number;
  isRecovered: boolean;
}

export interface SpoolShared {
  bytesMax: number;
  /** Holds from a write that found no room until a segment was removed. */
  full: Condition;
  stats: PublisherStats;
  logger: PublisherLogger;
}

/**
 * The batches of one partition on disk, first in, first out. Calls are made one at a time, by
 * the partition's backlog. An error of the disk rejects and changes nothing: the call can be made
 * again.
 */
export class PartitionSpool {
  readonly #dir: string;
  readonly #partition: number;
  readonly #shared: SpoolShared;
  /** Oldest first. */
  readonly #segments: Segment[];
  /** Of the next frame in the oldest segment. */
  #position = SEGMENT_HEADER.length;
  #nextNumber: number;
  /** Open on the oldest segment. */
  #reader: FileHandle | null = null;
  /** Open on the newest segment, which this process made. */
  #writer: FileHandle | null = null;

  constructor(dir: string, partition: number, segments: Segment[], shared: SpoolShared) {
    this.#dir = dir;
    this.#partition = partition;
    this.#shared = shared;
    this.#segments = segments;
    this.#nextNumber = (segments.at(-1)?.number ?? 0) + 1;
  }

  get isEmpty(): boolean {
    const [oldest, second] = this.#segments;
    return oldest === undefined || (second === undefined && this.#position >= oldest.bytes);
  }

  /**
   * Appends the first of the batches, as many as one write takes, and resolves with their number
   * once they are durable; 0 = the first one would pass the bound of the whole spool.
   */
  async write(batches: readonly Batch[]): Promise<number> {
    const { stats, bytesMax } = this.#shared;
    const frames: Buffer[] = [];
    let bytes = 0;
    for (const batch of batches) {
      const size = frameBytes(batch);
      if (stats.spoolBytes + SEGMENT_HEADER.length + bytes + size > bytesMax) break;
      if (frames.length > 0 && bytes + size > SEGMENT_BYTES_MAX) break;
      frames.push(encodeFrame(batch));
      bytes += size;
    }
    if (frames.length === 0) {
      if (batches.length > 0) this.#shared.full.begin({ bytesMax });
      return 0;
    }
    // Reserved before anything is awaited: other partitions write at the same time.
    stats.spoolBytes += bytes;
    try {
      const segment = await this.#segmentFor(bytes);
      // Behind what is known to be good: a write that failed half way is overwritten.
      await writeWhole(this.#writer as FileHandle, Buffer.concat(frames), segment.bytes);
      segment.bytes += bytes;
    } catch (error) {
      stats.spoolBytes -= bytes;
      throw error;
    }
    return frames.length;
  }

  /** The oldest batch, which stays; null where there is none. */
  async head(): Promise<Batch | null> {
    for (;;) {
      const oldest = this.#segments[0];
      if (oldest === undefined) return null;
      if (this.#position >= oldest.bytes) {
        await this.#removeOldest(oldest);
        continue;
      }
      const batch = await this.#read(oldest).catch((error) => this.#readAgain(oldest, error));
      if (batch !== null) return batch;
    }
  }

  /** Takes away the oldest batch, which is this one. */
  remove(batch: Batch): void {
    this.#position += frameBytes(batch);
  }

  async close(): Promise<void> {
    await Promise.all([this.#reader?.close(), this.#writer?.close()]);
    this.#reader = null;
    this.#writer = null;
  }

  async #segmentFor(bytes: number): Promise<Segment> {
    const newest = this.#segments.at(-1);
    if (newest !== undefined && this.#writer !== null) {
      if (newest.bytes + bytes <= SEGMENT_BYTES_MAX) return newest;
      await this.#writer.close();
      this.#writer = null;
    }
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    const path = join(this.#dir, `${this.#partition}-${String(number).padStart(8, '0')}.spool`);
    const writer = await open(path, 'wx');
    try {
      await writeWhole(writer, SEGMENT_HEADER, 0);
      await makeNamesDurable(this.#dir);
    } catch (error) {
      await writer.close();
      await rm(path, { force: true });
      throw error;
    }
    const segment = { path, number, bytes: SEGMENT_HEADER.length, isRecovered: false };
    this.#writer = writer;
    this.#segments.push(segment);
    this.#shared.stats.spoolBytes += segment.bytes;
    return segment;
  }

  /** The next frame of the segment; null where it is damaged, which is passed over and counted. */
  async #read(segment: Segment): Promise<Batch | null> {
    const prefix = await this.#readBytes(segment, this.#position, FRAME_PREFIX_BYTES);
    const bytesLeft = segment.bytes - this.#position - FRAME_PREFIX_BYTES;
    const length = prefix === null ? null : bodyLengthOf(prefix, bytesLeft);
    if (length === null) return this.#cutOff(segment);
    const body = await this.#readBytes(segment, this.#position + FRAME_PREFIX_BYTES, length);
    if (prefix === null || body === null) return this.#cutOff(segment);
    const batch = decodeFrame(prefix, body, segment.isRecovered);
    if (batch !== null) return batch;
    if (length === bytesLeft) return this.#cutOff(segment);
    return this.#passOver(segment, FRAME_PREFIX_BYTES + length);
  }

  /** The next call opens the file anew; a file that somebody removed is passed over. */
  async #readAgain(segment: Segment, error: NodeJS.ErrnoException): Promise<null> {
    await this.#reader?.close();
    this.#reader = null;
    if (error.code !== 'ENOENT') throw error;
    return this.#passOver(segment, segment.bytes - this.#position);
  }

  /** The rest of the segment is no whole frame: what a write that did not finish leaves. */
  #cutOff(segment: Segment): null {
    const bytes = segment.bytes - this.#position;
    if (!segment.isRecovered) return this.#passOver(segment, bytes);
    const { stats, logger } = this.#shared;
    stats.spoolTornTails += 1;
    stats.spoolDamagedBytes += bytes;
    logger.warn(
      { path: segment.path, position: this.#position, bytes },
      'A spool segment ends in a write that did not finish; its end is cut off.',
    );
    this.#position = segment.bytes;
    return null;
  }

  /** What was durable and cannot be read back is lost, and said to be. */
  #passOver(segment: Segment, bytes: number): null {
    const { stats, logger } = this.#shared;
    stats.spoolDamagedBytes += bytes;
    logger.error(
      { path: segment.path, position: this.#position, bytes },
      'Spooled batches are damaged or gone from the disk, and are lost.',
    );
    this.#position += bytes;
    return null;
  }

  /** Null where the file ends before. */
  async #readBytes(segment: Segment, position: number, length: number): Promise<Buffer | null> {
    this.#reader ??= await open(segment.path, 'r');
    const bytes = Buffer.allocUnsafe(length);
    for (let filled = 0; filled < length; ) {
      const read = await this.#reader.read(bytes, filled, length - filled, position + filled);
      if (read.bytesRead === 0) return null;
      filled += read.bytesRead;
    }
    return bytes;
  }

  async #removeOldest(oldest: Segment): Promise<void> {
    await rm(oldest.path, { force: true });
    await this.#reader?.close();
    this.#reader = null;
    if (this.#segments.length === 1) {
      await this.#writer?.close();
      this.#writer = null;
    }
    this.#segments.shift();
    this.#position = SEGMENT_HEADER.length;
    this.#shared.stats.spoolBytes -= oldest.bytes;
    this.#shared.full.end({});
  }
}

async function writeWhole(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const part = await file.write(bytes, written, bytes.length - written, position + written);
    written += part.bytesWritten;
  }
  await file.datasync();
}

/** A file's name is durable only once its folder is. */
async function makeNamesDurable(dir: string): Promise<void> {
  const folder = await open(dir, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
