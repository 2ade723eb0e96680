/** @import { Offering } from './poll.js' */
import { html, setAttribute, setText, svg } from './dom.js';
import { count, duration, percent, prices, shortCount, usd } from './format.js';

export const COLUMNS = [
  'Offering',
  'First choice',
  'Breaker',
  'Last 2 min',
  'Success',
  'Time p50',
  'TTFT p50',
  '$ / M in / out',
  'Samples',
];

const SPARK_HEIGHT = 20;

/** One offering of a model. Roles are named: as a grid on small screens it is a table still. */
export class OfferingRow {
  #name = html('span', { class: 'name' });
  #detail = html('span', { class: 'detail' });
  #swatch = html('span', { class: 'swatch', 'aria-hidden': 'true' });
  #share = html('span', { class: 'number' });
  #bar = html('span', { class: 'fill' });
  #breaker = html('span', { class: 'breaker' });
  #spark = svg('svg', { class: 'spark', role: 'img', preserveAspectRatio: 'none' });
  /** @type {HTMLElement[]} */
  #figures = COLUMNS.slice(4).map((label) => cell(label, 'figure'));
  element = html(
    'tr',
    { role: 'row' },
    html(
      'th',
      { role: 'rowheader', scope: 'row', class: 'who' },
      this.#swatch,
      html('span', { class: 'names' }, this.#name, ' ', this.#detail),
    ),
    cell('First choice', 'share', this.#share, html('span', { class: 'bar' }, this.#bar)),
    cell('Breaker', 'state', this.#breaker),
    cell('Last 2 min', 'ticks', this.#spark),
    ...this.#figures,
  );

  /**
   * @param {Offering} offering
   * @param {string} colour
   * @param {boolean} isBest
   */
  show(offering, colour, isBest) {
    const { provider, region, deployment, share, breaker, excluded } = offering;
    setText(this.#name, provider);
    setText(this.#detail, [region, deployment].filter(Boolean).join(' · '));
    setAttribute(this.element, 'data-offering', offering.offering);
    setAttribute(this.element, 'class', `${breaker.state}${share === 0 ? ' unused' : ''}`);
    this.#swatch.style.background = colour;
    setText(this.#share, percent(share));
    setAttribute(this.#share, 'title', isBest ? 'The best by its score' : '');
    this.#share.classList.toggle('best', isBest);
    this.#bar.style.width = `${share * 100}%`;
    this.#bar.style.background = colour;
    setText(this.#breaker, breakerText(offering));
    const limit = `On probation, with at most ${percent(breaker.share)} of the requests`;
    setAttribute(this.#breaker, 'title', breaker.state === 'half_open' ? limit : (excluded ?? ''));
    this.#showTicks(offering);
    this.#showFigures(offering);
  }

  /** @param {Offering} offering */
  #showTicks({ ticks: { success, failure } }) {
    const most = Math.max(1, ...success.map((value, at) => value + (failure[at] ?? 0)));
    const height = (/** @type {number} */ value) => (value / most) * SPARK_HEIGHT;
    const bars = success.flatMap((value, at) => {
      const failed = failure[at] ?? 0;
      const top = SPARK_HEIGHT - height(value + failed);
      return [
        bar('failed', at, top, height(failed)),
        bar('ok', at, top + height(failed), height(value)),
      ];
    });
    setAttribute(this.#spark, 'viewBox', `0 0 ${success.length * 4} ${SPARK_HEIGHT}`);
    this.#spark.replaceChildren(...bars.filter((one) => one !== null));
    const sum = (/** @type {number[]} */ values) => count(values.reduce((a, b) => a + b, 0));
    const label = `${sum(success)} succeeded, ${sum(failure)} failed in the last two minutes`;
    setAttribute(this.#spark, 'aria-label', label);
    setAttribute(this.#spark.parentElement ?? this.#spark, 'title', label);
  }

  /** What nothing was measured of is what model and provider let expect: shown, but pale. */
  #showFigures(/** @type {Offering} */ { expected, samples, price, changed }) {
    const texts = [
      percent(expected.success_ratio),
      duration(expected.duration_ms_p50),
      duration(expected.ttft_ms_p50),
      prices(price),
      shortCount(samples),
    ];
    this.#figures.forEach((figure, at) => {
      setText(figure, texts[at] ?? '');
      figure.classList.toggle('guess', samples === 0 && at < 2);
    });
    const [success, , , cost, sampled] = this.#figures;
    success?.classList.toggle('low', samples > 0 && expected.success_ratio < 0.9);
    if (cost) setAttribute(cost, 'title', `A usual request: ${usd(expected.cost_nano_usd)}`);
    if (!sampled) return;
    const title = changed ? 'Only what followed a change that was seen counts' : 'Weighted by age';
    setAttribute(sampled, 'title', title);
    sampled.classList.toggle('changed', changed);
  }
}

/** @param {Offering} offering */
export function breakerText({ breaker, excluded }) {
  if (breaker.state === 'half_open') return `half-open ${percent(breaker.share)}`;
  if (breaker.state === 'open') return `open · ${(breaker.reason ?? '').replaceAll('_', ' ')}`;
  return excluded === null ? 'closed' : excluded.replaceAll('_', ' ');
}

/**
 * @param {string} label
 * @param {string} kind
 * @param {...Node} children
 */
function cell(label, kind, ...children) {
  return html('td', { role: 'cell', class: kind, 'data-label': label }, ...children);
}

/**
 * @param {string} kind
 * @param {number} at
 * @param {number} y
 * @param {number} height
 */
function bar(kind, at, y, height) {
  if (height === 0) return null;
  const attributes = { class: kind, x: `${at * 4}`, y: y.toFixed(1), width: '3' };
  return svg('rect', { ...attributes, height: Math.max(0.8, height).toFixed(1) });
}
