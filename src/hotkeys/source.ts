import type { Vector } from './port.js';

/**
 * Where the values of the hot keys come from: the rows of one projection version. Each call reads
 * one snapshot of the primary, so that the vectors of later calls are never below earlier ones,
 * whichever process makes them.
 */
export interface HotSource {
  /** The generation that the values of this source belong to. */
  generation(): Promise<string>;
  /** The generation in force, as the database names it: the one that readers are pointed at. */
  generationInForce(): Promise<string>;
  /** The value of the key `health`, JSON text. */
  health(): Promise<{ vector: Vector; value: string }>;
  /**
   * All values of the other keys that were marked above `since` (null = everything), JSON text by
   * key name; null = the key is to be removed. Values that change without a mark are given each
   * time: equal ones are not written again. A call remembers nothing of earlier ones, whose values
   * may not have got through.
   */
  metrics(
    since: Vector | null,
  ): Promise<{ vector: Vector; values: ReadonlyMap<string, string | null> }>;
}
