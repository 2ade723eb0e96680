import { hash } from 'node:crypto';
import { kept } from './kept.js';

/** 64 bits, as two unsigned halves of 32. */
type Word = readonly [high: number, low: number];

const TWO_TO_53 = 2 ** 53;
/** As many as a catalogue has offerings. */
const NAMES_MAX = 20_000;
const wordsOfNames = new Map<string, Word>();

/**
 * Draws of one unit for many names, each in [0, 1), the same for the same four texts: the first 53
 * bits of mix(u XOR n), where u is the first 64 bits, big-endian, of SHA-256(utf8("airouter-draw/2"
 * NUL purpose NUL salt NUL unit)) and n those of SHA-256(utf8(name)). One digest a unit instead of one
 * a name: those of names are kept.
 *
 * mix: four rounds of a Feistel network on the halves, (h, l) becomes (l, h XOR f(l + k)) mod 2^32
 * with k = 0x9e3779b9 · (1, 2, 3, 4) and f the finalizer of MurmurHash3. A bijection, so that two
 * names of one unit never get the same 64 bits.
 */
export function namedDraws(
  purpose: 'split' | 'pin',
  salt: string,
  unit: string,
): (name: string) => number {
  const [high, low] = wordOf(`airouter-draw/2\0${purpose}\0${salt}\0${unit}`);
  return (name) => {
    if (wordsOfNames.size >= NAMES_MAX) wordsOfNames.clear();
    const [nameHigh, nameLow] = kept(wordsOfNames, name, () => wordOf(name));
    return mixed(high ^ nameHigh, low ^ nameLow);
  };
}

function wordOf(text: string): Word {
  const digest = hash('sha256', text, 'buffer');
  return [digest.readUInt32BE(0), digest.readUInt32BE(4)];
}

function mixed(high: number, low: number): number {
  let h = high >>> 0;
  let l = low >>> 0;
  for (let round = 1; round <= 4; round++) {
    const next = (h ^ finalized((l + Math.imul(0x9e3779b9, round)) | 0)) >>> 0;
    h = l;
    l = next;
  }
  return (h * 2 ** 21 + (l >>> 11)) / TWO_TO_53;
}

/** Of MurmurHash3, 32 bits: every bit of the input moves half of the output's. */
function finalized(word: number): number {
  let bits = word ^ (word >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
