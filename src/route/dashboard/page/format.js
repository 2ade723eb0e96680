const integers = new Intl.NumberFormat('en');
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** What is not known is not 0. */
export const UNKNOWN = '–';

/** @param {number} value */
export const count = (value) => integers.format(Math.round(value));

/** @param {number} value */
export const shortCount = (value) => compact.format(Math.round(value));

/** @param {number} ratio 0..1 */
export function percent(ratio) {
  const hundredfold = ratio * 100;
  if (hundredfold > 0 && hundredfold < 0.1) return '< 0.1\u00a0%';
  // 99.97 is not 100.
  const shown = hundredfold < 100 ? Math.min(99.9, Number(hundredfold.toFixed(1))) : 100;
  return `${shown === 0 || shown === 100 ? shown : shown.toFixed(1)}\u00a0%`;
}

/** @param {number | null} ms */
export function duration(ms) {
  if (ms === null) return UNKNOWN;
  if (ms < 1000) return `${ms} ms`;
  const seconds = ms / 1000;
  return `${seconds < 10 ? seconds.toFixed(1) : seconds.toFixed(0)} s`;
}

/** @param {number} ms a span of time */
export function age(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return '< 1 s';
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

/** @param {number | null} nanoUsd */
export function usd(nanoUsd) {
  if (nanoUsd === null) return UNKNOWN;
  const dollars = nanoUsd / 1e9;
  if (dollars === 0) return '$0';
  if (dollars >= 0.1) return `$${dollars.toFixed(2)}`;
  // Two digits that say something: 0.05, 0.039, 0.00042.
  const decimals = Math.ceil(-Math.log10(dollars)) + 1;
  return `$${dollars.toFixed(decimals).replace(/^(\d\.\d\d)0$/, '$1')}`;
}

/**
 * Nano-USD per million tokens.
 *
 * @param {{ input: number | null, output: number | null } | null} price
 */
export function prices(price) {
  return price === null ? UNKNOWN : `${usd(price.input)} / ${usd(price.output)}`;
}

/** @param {number} ms since the epoch */
export const timeOfDay = (ms) => new Date(ms).toLocaleTimeString('en-GB');

/** @param {number} ms since the epoch */
export const utc = (ms) => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
