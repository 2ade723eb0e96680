import type { BrokenRule } from './rules.js';
import { OP, type WalkProgram } from './walk-program.js';

/** Deeper values are refused: only a schema that holds itself can have them. */
const NESTING_MAX = 32;

const WITHIN = 'within the bytes that are left';
const VARINT = 'a varint of at most 10 bytes';
const INT = 'an int of 32 bits';
// JavaScript numbers are exact to 2^53; avsc reads longs below -2^52 with the wrong sign.
const LONG = 'a long of -2^52..2^53-2';
const LONG_MIN = -(2 ** 52);
const LONG_MAX = 2 ** 53 - 2;
// Every varint of so many bytes fits: 28 of 32 bits, 49 of 53.
const INT_BYTES_SAFE = 4;
const LONG_BYTES_SAFE = 7;
const PROTO = Buffer.from('__proto__');

/** In place of a position: the value there broke `#rule`. */
const BROKEN = -1;

/**
 * Bounded walk over the bytes of a value, by its writer's schema, before avsc decodes them. avsc
 * trusts what lengths and counts claim (six bytes can claim 200 million items), misreads values
 * that do not fit, and has no framing of its own. After the walk every length, count, index and
 * number is known to fit the bytes that are there, and the value ends with them. Each byte is
 * visited about once, and nothing is visited that takes no bytes. Text is only measured here: what
 * is not UTF-8 becomes U+FFFD in decoding, which the rules refuse.
 *
 * Every step takes a position and answers the one after it.
 */
export class Walk {
  readonly #program: WalkProgram;
  #bytes: Uint8Array = new Uint8Array(0);
  #value = 0;
  #rule = '';
  #path = '';

  constructor(program: WalkProgram) {
    this.#program = program;
  }

  /** The first broken rule of the value that begins at `start` and ends with `bytes`, or null. */
  check(bytes: Uint8Array, start: number): BrokenRule | null {
    this.#bytes = bytes;
    this.#path = '';
    const end = this.#routine(0, start, 0);
    if (end === BROKEN) return { field: this.#path, rule: this.#rule };
    return end === bytes.length ? null : { field: '', rule: 'without bytes after its end' };
  }

  #routine(address: number, start: number, depth: number): number {
    const bytes = this.#bytes;
    const end = bytes.length;
    const { code } = this.#program;
    let at = start;
    for (let pc = address; ; ) {
      const op = pc;
      switch (code[pc++]) {
        case OP.end:
          return at;
        case OP.int:
          at = afterVarint(bytes, at, INT_BYTES_SAFE) || this.#int(at);
          break;
        case OP.long:
          at = afterVarint(bytes, at, LONG_BYTES_SAFE) || this.#long(at);
          break;
        case OP.sized:
          // A length below 64 is one even byte.
          at = (bytes[at]! & 0x81) === 0 ? at + 1 + (bytes[at]! >> 1) : this.#sized(at);
          break;
        case OP.boolean:
          at = bytes[at]! <= 1 ? at + 1 : this.#broken('a boolean of 0 or 1');
          break;
        case OP.skip:
          at += code[pc++]!;
          break;
        case OP.enum:
          at = this.#index(at, code[pc++]!, 'an index of the enum');
          break;
        case OP.union: {
          const branches = code[pc++]!;
          at = this.#index(at, branches, 'an index of the union');
          if (at !== BROKEN) pc = code[pc + this.#value]!;
          break;
        }
        case OP.jump:
          pc = code[pc]!;
          break;
        case OP.call:
          at = this.#nested(code[pc++]!, at, depth + 1);
          break;
        case OP.array:
        case OP.map:
          at = this.#blocks(op, at, depth + 1);
          pc += 2;
          break;
      }
      if (at > end) at = this.#broken(WITHIN);
      if (at === BROKEN) return this.#named(op);
    }
  }

  #named(op: number): number {
    this.#path = joined(this.#program.names.get(op) ?? '', this.#path);
    return BROKEN;
  }

  #nested(address: number, at: number, depth: number): number {
    if (depth > NESTING_MAX) return this.#broken(`at most ${NESTING_MAX} levels deep`);
    return this.#routine(address, at, depth);
  }

  /** Items of an array or entries of a map: blocks that begin with a count, until a count of 0. */
  #blocks(op: number, start: number, depth: number): number {
    const isMap = this.#program.code[op] === OP.map;
    const least = this.#program.code[op + 1]!;
    const item = this.#program.code[op + 2]!;
    let index = 0;
    for (let at = start; ; ) {
      at = this.#long(at);
      if (at === BROKEN || this.#value === 0) return at;
      const count = Math.abs(this.#value);
      let blockEnd = this.#bytes.length;
      // A negative count is followed by the size of its block.
      const isSized = this.#value < 0;
      if (isSized) {
        blockEnd = this.#sized(at);
        if (blockEnd === BROKEN) return BROKEN;
        at = blockEnd - this.#value;
      }
      if (count * least > blockEnd - at) {
        return this.#broken('a count of items that the bytes left can hold');
      }
      for (const last = index + count; index < last; index++) {
        if (isMap) at = this.#key(at);
        if (at !== BROKEN) at = this.#nested(item, at, depth);
        if (at === BROKEN) return this.#indexed(index);
      }
      if (isSized && at !== blockEnd) return this.#broken('a block of the size that it states');
    }
  }

  #indexed(index: number): number {
    this.#path = joined(`[${index}]`, this.#path);
    return BROKEN;
  }

  #key(start: number): number {
    const end = this.#sized(start);
    if (end === BROKEN || this.#value !== PROTO.length) return end;
    // avsc builds maps as plain objects: this key would set the prototype of one.
    const isProto = PROTO.every((byte, i) => byte === this.#bytes[end - PROTO.length + i]);
    return isProto ? this.#broken('a map key other than __proto__') : end;
  }

  /** A length, which is left in `#value`, and as many bytes. */
  #sized(start: number): number {
    const at = this.#long(start);
    if (at === BROKEN) return BROKEN;
    const isWithin = this.#value >= 0 && this.#value <= this.#bytes.length - at;
    return isWithin ? at + this.#value : this.#broken(WITHIN);
  }

  /** An index below `count`, which is left in `#value`. */
  #index(at: number, count: number, rule: string): number {
    const byte = this.#bytes[at]!;
    if ((byte & 0x81) === 0 && byte >> 1 < count) {
      this.#value = byte >> 1;
      return at + 1;
    }
    const next = this.#long(at);
    if (next === BROKEN) return BROKEN;
    return this.#value >= 0 && this.#value < count ? next : this.#broken(rule);
  }

  #int(start: number): number {
    const at = this.#long(start);
    return at === BROKEN || this.#value === (this.#value | 0) ? at : this.#broken(INT);
  }

  /** A zigzag varint, which is left in `#value`. */
  #long(start: number): number {
    const bytes = this.#bytes;
    let at = start;
    let low = 0;
    let byte = 0x80;
    for (let shift = 0; byte > 0x7f && shift < 28; shift += 7) {
      if (at >= bytes.length) return this.#broken(WITHIN);
      byte = bytes[at++]!;
      low |= (byte & 0x7f) << shift;
    }
    if (byte > 0x7f) return this.#longTail(at, low);
    this.#value = (low >>> 1) ^ -(low & 1);
    return at;
  }

  /** The part of a varint above its first 28 bits, which are `low`. */
  #longTail(start: number, low: number): number {
    let at = start;
    let high = 0;
    let byte = 0x80;
    for (let scale = 1; byte > 0x7f; scale *= 128) {
      if (scale === 2 ** 42) return this.#broken(VARINT);
      if (at >= this.#bytes.length) return this.#broken(WITHIN);
      byte = this.#bytes[at++]!;
      high += (byte & 0x7f) * scale;
    }
    // Above 2^53 the sum is not exact, but then it is out of range by far.
    const magnitude = high * 2 ** 27 + (low >>> 1);
    this.#value = low & 1 ? -magnitude - 1 : magnitude;
    const isExact = this.#value >= LONG_MIN && this.#value <= LONG_MAX;
    return isExact ? at : this.#broken(LONG);
  }

  #broken(rule: string): number {
    this.#rule = rule;
    return BROKEN;
  }
}

/**
 * The position after a varint of at most `bytesMax` bytes; 0 where it takes a closer look: it is
 * longer or cut off.
 */
function afterVarint(bytes: Uint8Array, start: number, bytesMax: number): number {
  const last = Math.min(start + bytesMax, bytes.length);
  let at = start;
  while (at < last && bytes[at]! > 0x7f) at++;
  return at < last ? at + 1 : 0;
}

function joined(head: string, tail: string): string {
  if (head === '' || tail === '') return head + tail;
  return tail.startsWith('[') ? head + tail : `${head}.${tail}`;
}
