import { closeSync, mkdirSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AiRouterError } from '../errors.js';
import { PartitionSpool, type Segment, type SpoolShared } from './partition-spool.js';
import { SEGMENT_HEADER } from './spool-frame.js';
import { takeSpoolFolder } from './spool-owner.js';

const SEGMENT_FILE = /^(\d+)-(\d+)\.spool$/;

export interface SpoolOptions extends SpoolShared {
  /** One folder a topic is made in it. */
  dir: string;
  topic: string;
}

export interface Spool {
  /** Partitions for which an earlier process left batches. */
  readonly left: readonly number[];
  /** Opens the spool of one partition; once for each. */
  partition(partition: number): PartitionSpool;
  /** Gives the folder back, once the partitions are closed. */
  release(): void;
}

/**
 * Opens the spool of a topic and finds what earlier processes left, a queue of segment files for
 * each partition. Segments are only ever appended to by the process that made them, are made
 * durable (fdatasync) with every write, and removed once all their batches are acknowledged. There
 * is no cursor on disk: after a restart a segment that was half sent is sent again from its
 * beginning, and readers know the repeats by publisher and sequence.
 *
 * @throws AiRouterError already_running: another process owns the folder
 * @throws AiRouterError invalid_setting: the folder cannot be used
 */
export function openSpool(options: SpoolOptions): Spool {
  const dir = join(options.dir, options.topic);
  const release = usable(dir, () => {
    mkdirSync(dir, { recursive: true });
    return takeSpoolFolder(dir);
  });
  try {
    const found = usable(dir, () => findSegments(dir, options));
    const partition = (number: number) =>
      new PartitionSpool(dir, number, found.get(number) ?? [], options);
    return { left: [...found.keys()].sort((a, b) => a - b), partition, release };
  } catch (error) {
    release();
    throw error;
  }
}

function usable<T>(dir: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (error instanceof AiRouterError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new AiRouterError(
      'invalid_setting',
      `The spool folder ${dir} cannot be used: ${reason}`,
      {
        field: 'AIROUTER_SPOOL_DIR',
        rule: 'a folder that can be written',
        cause: error,
      },
    );
  }
}

function findSegments(dir: string, options: SpoolOptions): Map<number, Segment[]> {
  const found = new Map<number, Segment[]>();
  for (const name of readdirSync(dir)) {
    const match = SEGMENT_FILE.exec(name);
    if (match === null) continue;
    const path = join(dir, name);
    if (!hasHeader(path)) {
      // Killed between making the file and its first write: nothing of it was promised.
      rmSync(path);
      options.stats.spoolTornTails += 1;
      continue;
    }
    const { size } = statSync(path);
    const partition = Number(match[1]);
    const segments = found.get(partition) ?? [];
    segments.push({ path, number: Number(match[2]), bytes: size, isRecovered: true });
    found.set(partition, segments);
    options.stats.spoolBytes += size;
  }
  for (const segments of found.values()) segments.sort((a, b) => a.number - b.number);
  return found;
}

/** False where even the header was not written whole. */
function hasHeader(path: string): boolean {
  const header = Buffer.alloc(SEGMENT_HEADER.length);
  const file = openSync(path, 'r');
  const bytes = readSync(file, header, 0, header.length, 0);
  closeSync(file);
  if (bytes < header.length) return false;
  if (header.equals(SEGMENT_HEADER)) return true;
  throw new AiRouterError(
    'invalid_setting',
    `${path} is not a spool segment of this version; let the version that wrote it send it, or move it away`,
    { field: 'AIROUTER_SPOOL_DIR', rule: 'segments of this version' },
  );
}
