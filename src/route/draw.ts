import { hash } from 'node:crypto';

/**
 * The layers of randomness of a decision. Each has draws of its own, so that whom a request is
 * tried at first says nothing of whom it is tried at next or which split it falls into.
 */
export type DrawPurpose = 'first' | `rank-${number}` | 'split' | 'pin' | 'epoch';

const TWO_TO_53 = 2 ** 53;

/**
 * A number in [0, 1), the same for the same three texts: the first 53 bits, big-endian, of
 * SHA-256(utf8("airouter-draw/1" NUL purpose NUL salt NUL unit)), divided by 2^53. Purposes and
 * salts hold no NUL, so no two triples give the same text.
 */
export function draw(purpose: DrawPurpose, salt: string, unit: string): number {
  const digest = hash('sha256', `airouter-draw/1\0${purpose}\0${salt}\0${unit}`, 'hex');
  const high52 = Number.parseInt(digest.slice(0, 13), 16);
  const bit53 = Number.parseInt(digest.charAt(13), 16) >> 3;
  return (high52 * 2 + bit53) / TWO_TO_53;
}
