/**
 * Where a key lies among the partitions of a topic, as Java clients place it: murmur2 of the key's
 * UTF-8 bytes, made positive, modulo the number of partitions. So every producer in every language
 * puts an offering on the same partition.
 */
export function partitionOf(keyText: string, partitions: number): number {
  return (murmur2(Buffer.from(keyText, 'utf8')) & 0x7fffffff) % partitions;
}

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;
const SHIFT = 24;

/** MurmurHash2, 32 bits, by Austin Appleby, with the seed that Kafka's clients use. */
function murmur2(bytes: Uint8Array): number {
  const tail = bytes.length & ~3;
  let hash = SEED ^ bytes.length;
  for (let at = 0; at < tail; at += 4) {
    let word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    word = Math.imul(word, MULTIPLIER);
    word = Math.imul(word ^ (word >>> SHIFT), MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ word;
  }
  if (bytes.length > tail) {
    for (let at = bytes.length - 1; at >= tail; at--) hash ^= bytes[at]! << ((at - tail) * 8);
    hash = Math.imul(hash, MULTIPLIER);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}
