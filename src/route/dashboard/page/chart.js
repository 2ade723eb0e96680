/** @import { Model } from './poll.js' */
/** @import { History, Sample } from './history.js' */
import { html, setAttribute, setText, svg } from './dom.js';
import { percent } from './format.js';
import { WINDOW_MS } from './history.js';

const WIDTH = 600;
const HEIGHT = 120;
/** The time that is shown grows from a minute to ten: a chart that begins is not empty. */
const WINDOW_MIN_MS = 60_000;
/** How long the first sample is taken to have held: it would not be seen else. */
const FIRST_MS = 1_000;
/** Bands that are at least this high bear a name. */
const LABEL_SHARE_MIN = 0.13;

/**
 * The shares of one model over time, stacked; what troubled it is a line below. Unseen time is
 * left blank.
 */
export class Chart {
  #areas = svg('g');
  #trouble = svg('g', { class: 'trouble' });
  #labels = html('div', { class: 'labels', 'aria-hidden': 'true' });
  #from = html('span');
  #svg = svg(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${HEIGHT + 6}`, preserveAspectRatio: 'none', role: 'img' },
    this.#areas,
    svg('path', { class: 'grid', d: `M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT}H${WIDTH}` }),
    this.#trouble,
  );
  element = html(
    'figure',
    { class: 'chart' },
    html('div', { class: 'plot' }),
    html('figcaption', {}, this.#from, html('span', {}, 'now')),
  );

  constructor() {
    this.element.firstElementChild?.append(this.#svg, this.#labels);
  }

  /**
   * @param {Model} model
   * @param {History} history
   * @param {Map<string, string>} colours by offering
   * @param {number} nowMs
   */
  draw(model, history, colours, nowMs) {
    const firstMs = history.samples[0]?.atMs ?? nowMs;
    const windowMs = Math.min(WINDOW_MS, Math.max(WINDOW_MIN_MS, nowMs - firstMs));
    const x = (/** @type {number} */ atMs) =>
      Math.max(0, WIDTH * (1 - (nowMs - atMs) / windowMs)).toFixed(1);
    const stretches = history.stretches();
    const keys = model.offerings.map(({ offering }) => offering);
    this.#areas.replaceChildren(
      ...stretches.flatMap((stretch) => areasOf(stretch, keys, colours, x)),
    );
    this.#trouble.replaceChildren(...stretches.flatMap((stretch) => troubleOf(stretch, x)));
    setText(
      this.#from,
      windowMs < 90_000 ? '1 min ago' : `${Math.round(windowMs / 60_000)} min ago`,
    );
    this.#label(model);
  }

  /** @param {Model} model */
  #label({ id, offerings }) {
    let above = 0;
    const labels = offerings.flatMap(({ share, provider, region, deployment }) => {
      const middle = above + share / 2;
      above += share;
      if (share < LABEL_SHARE_MIN) return [];
      const detail = region || deployment;
      const label = html('span', {}, detail ? `${provider} · ${detail}` : provider);
      label.style.top = `${((middle * HEIGHT) / (HEIGHT + 6)) * 100}%`;
      return [label];
    });
    this.#labels.replaceChildren(...labels);
    const shares = offerings
      .filter(({ share }) => share >= 0.01)
      .map(({ provider, region, share }) => `${provider} ${region} ${percent(share)}`);
    const now = shares.length === 0 ? 'nothing can be chosen' : shares.join(', ');
    setAttribute(this.#svg, 'aria-label', `Shares of first choice of ${id}; now: ${now}`);
  }
}

/**
 * @param {Sample[]} samples
 * @param {string[]} keys
 * @param {Map<string, string>} colours
 * @param {(atMs: number) => string} x
 */
function areasOf(samples, keys, colours, x) {
  let below = samples.map(() => 0);
  return keys.flatMap((key) => {
    const above = samples.map(({ shares }, at) => (below[at] ?? 0) + (shares.get(key) ?? 0));
    const lower = below;
    below = above;
    if (above.every((top, at) => top === lower[at])) return [];
    const area = svg('path', { d: stairs(samples, lower, above, x) });
    area.style.fill = colours.get(key) ?? '';
    return [area];
  });
}

/**
 * A share holds since the one before it was seen: the newest stands at the right end at once.
 *
 * @param {Sample[]} samples
 * @param {number[]} lower
 * @param {number[]} upper
 * @param {(atMs: number) => string} x
 */
function stairs(samples, lower, upper, x) {
  const y = (/** @type {number | undefined} */ share) => ((share ?? 0) * HEIGHT).toFixed(1);
  const begins = samples.map((_, at) => x(beginOf(samples, at)));
  const there = samples.map(({ atMs }, at) => `L${begins[at]} ${y(upper[at])}H${x(atMs)}`);
  const back = samples.map(({ atMs }, at) => `L${x(atMs)} ${y(lower[at])}H${begins[at]}`).reverse();
  return `M${there.join('').slice(1)}${back.join('')}Z`;
}

/** @param {Sample[]} samples @param {number} at */
function beginOf(samples, at) {
  return samples[at - 1]?.atMs ?? (samples[at]?.atMs ?? 0) - FIRST_MS;
}

/**
 * @param {Sample[]} samples
 * @param {(atMs: number) => string} x
 */
function troubleOf(samples, x) {
  return samples.flatMap(({ atMs, trouble }, at) => {
    if (trouble === 'none') return [];
    const d = `M${x(beginOf(samples, at))} ${HEIGHT + 4}H${x(atMs)}`;
    return [svg('path', { d, class: trouble })];
  });
}
