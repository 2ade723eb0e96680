import { AiRouterError } from '../errors.js';

/** The value of an option; anything but a whole number is `invalid_usage`. */
export function wholeNumber(option: string, given: unknown): number {
  const value = Number(given);
  if (/^\d+$/.test(String(given)) && Number.isSafeInteger(value)) return value;
  const rule = given === undefined ? 'given' : 'a whole number, 0 or more';
  const got = given === undefined ? '' : `, got "${given}"`;
  throw new AiRouterError('invalid_usage', `${option} must be ${rule}${got}`, {
    field: option,
    rule,
  });
}

/** The seed of what is drawn, as its text. */
export function seedOf(option: string, given: unknown): string {
  const seed = String(given);
  if (/^\d{1,9}$/.test(seed)) return seed;
  const rule = 'an integer of 0..999999999';
  throw new AiRouterError('invalid_usage', `${option} must be ${rule}, got "${seed}"`, {
    field: option,
    rule,
  });
}

/** Of `--minutes`: the first minutes of the traces; null = all of them. */
export function minutesOf(given: unknown): number | null {
  if (given === undefined) return null;
  const minutes = wholeNumber('--minutes', given);
  if (minutes > 0) return minutes;
  throw new AiRouterError('invalid_usage', '--minutes must be above 0', {
    field: '--minutes',
    rule: 'above 0',
  });
}
