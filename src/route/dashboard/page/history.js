/** @import { Model } from './poll.js' */

/**
 * Shares at a moment, by offering, and the worst breaker.
 *
 * @typedef {{
 *   atMs: number, shares: Map<string, number>, trouble: 'none' | 'half_open' | 'open'
 * }} Sample
 */

export const WINDOW_MS = 600_000;
/** Between two samples that are farther apart nothing was seen: the page slept, or the router. */
const GAP_MS = 6_000;
/** At one sample a second every other one stays: 300 fill the window, as wide as a chart is. */
const SPACING_MS = 1_500;

/** The last ten minutes of one model, as far as this page has seen them. */
export class History {
  /** @type {Sample[]} oldest first */
  samples = [];

  /**
   * @param {number} atMs
   * @param {Model} model
   */
  add(atMs, { offerings }) {
    const states = offerings.map(({ breaker }) => breaker.state);
    const sample = {
      atMs,
      shares: new Map(offerings.map(({ offering, share }) => [offering, share])),
      trouble: /** @type {Sample['trouble']} */ (
        states.includes('open') ? 'open' : states.includes('half_open') ? 'half_open' : 'none'
      ),
    };
    // The newest always stands; it gives way to the next one where it is too near the one before.
    const [before, last] = this.samples.slice(-2);
    if (before && last && last.atMs - before.atMs < SPACING_MS) this.samples.pop();
    this.samples.push(sample);
    while (this.samples[0] !== undefined && this.samples[0].atMs < atMs - WINDOW_MS - GAP_MS) {
      this.samples.shift();
    }
  }

  /** Stretches without a gap. @returns {Sample[][]} */
  stretches() {
    /** @type {Sample[][]} */
    const stretches = [];
    for (const sample of this.samples) {
      const current = stretches.at(-1);
      const last = current?.at(-1);
      if (current === undefined || last === undefined || sample.atMs - last.atMs > GAP_MS) {
        stretches.push([sample]);
      } else current.push(sample);
    }
    return stretches;
  }
}
