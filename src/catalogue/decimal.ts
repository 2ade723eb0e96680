import { AiRouterError } from '../errors.js';

/** Largest integer of a price: what Avro's long carries exactly in JavaScript. */
const SCALED_MAX = BigInt(2 ** 53 - 2);

/**
 * A decimal times 10^digits as an exact integer. A JavaScript number stands for the shortest
 * decimal that reads back as it, which is what its author wrote: 0.1 + 0.2 is refused, 0.3 is
 * 300,000,000 at nine digits. Throws `rule_broken` where the result is not an integer of
 * 0..2^53-2.
 */
export function scaledInteger(value: number, digits: number, field: string): number {
  const rule = `a decimal from 0 with at most ${digits} digits behind the point`;
  const match = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  const [, whole = '', fraction = '', exponent = '0'] = match ?? [];
  const shift = digits + Number(exponent) - fraction.length;
  const scaled = match === null ? null : shifted(BigInt(whole + fraction), shift);
  if (scaled === null || scaled > SCALED_MAX) {
    throw new AiRouterError('rule_broken', `${field} must be ${rule}, got ${value}`, {
      field,
      rule,
    });
  }
  return Number(scaled);
}

/** Times a power of ten; null where digits would be lost. */
function shifted(mantissa: bigint, powerOfTen: number): bigint | null {
  if (powerOfTen >= 0) return mantissa * 10n ** BigInt(powerOfTen);
  const divisor = 10n ** BigInt(-powerOfTen);
  return mantissa % divisor === 0n ? mantissa / divisor : null;
}
