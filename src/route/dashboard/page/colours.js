/** As style.css names them: those that are told apart best, then those for the rest. */
const FIRST = 12;
const COLOURS = 18;

/** @type {Map<string, number>} */
const numbers = new Map();

/**
 * Gives colours to those that have none: the one that follows from the name or, where another
 * provider has it, the next that is free. In the order of names, so that a reload gives the same.
 *
 * @param {readonly string[]} providers
 */
export function nameColours(providers) {
  for (const provider of [...new Set(providers)].sort()) colourOf(provider);
}

/**
 * The CSS colour of a provider, the same in all charts while the page is open.
 *
 * @param {string} provider
 */
function colourOf(provider) {
  let number = numbers.get(provider);
  if (number === undefined) {
    const taken = new Set(numbers.values());
    const own = hash(provider) % FIRST;
    const wanted = Array.from({ length: COLOURS }, (_, i) => (i < FIRST ? (own + i) % FIRST : i));
    number = wanted.find((one) => !taken.has(one)) ?? own;
    numbers.set(provider, number);
  }
  return `var(--colour-${number})`;
}

/**
 * Offerings of one provider differ in depth.
 *
 * @param {string} provider
 * @param {number} place among the provider's offerings of the model
 */
export function shadeOf(provider, place) {
  if (place === 0) return colourOf(provider);
  const strength = Math.max(40, 100 - 22 * place);
  return `color-mix(in oklab, ${colourOf(provider)} ${strength}%, var(--shade))`;
}

/** FNV-1a. @param {string} text */
function hash(text) {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return value;
}
