import { AiRouterError } from '../errors.js';

/** The value of an option; anything but a whole number is `invalid_usage`. */
export function wholeNumber(option: string, given: unknown): number {
  const value = Number(given);
  if (/^\d+$/.test(String(given)) && Number.isSafeInteger(value)) return value;
  throw new AiRouterError('invalid_usage', `${option} must be a whole number, got "${given}"`, {
    field: option,
    rule: 'a whole number',
  });
}
