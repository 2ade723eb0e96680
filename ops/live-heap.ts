import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of this process. */
export interface LiveMemory {
  /** What is reachable: of the heap, after all garbage is gone. */
  heap: number;
  /** Of buffers, outside of the heap. */
  buffers: number;
  /** As the system sees it, with what V8 keeps for later. */
  resident: number;
}

let collect: (() => void) | null = null;

/**
 * Collects all garbage, also that which only finalizers free, and measures what is left. Takes as
 * long as the heap is large: some ten ms for 100 MiB.
 */
export async function liveMemory(): Promise<LiveMemory> {
  if (collect === null) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  await turn();
  collect();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  return { heap: heapUsed, buffers: arrayBuffers, resident: rss };
}
