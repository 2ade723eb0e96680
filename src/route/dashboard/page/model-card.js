/** @import { Model } from './poll.js' */
import { Chart } from './chart.js';
import { shadeOf } from './colours.js';
import { html, setChildren, setText } from './dom.js';
import { count, percent } from './format.js';
import { History } from './history.js';
import { COLUMNS, OfferingRow } from './offering-row.js';

const DEGRADED = {
  all_open: 'Every breaker is open: all are taken as closed.',
  no_metrics: 'Nothing was measured: shares rest on prices and on other models.',
};

/** Where links to a model lead. @param {string} id */
export const anchorOf = (id) => `model-${encodeURIComponent(id)}`;

/** One model: what is chosen now, what was chosen, and each offering. */
export class ModelCard {
  history = new History();
  #chart = new Chart();
  #heading = html('h2');
  #facts = html('p', { class: 'facts' });
  #degraded = html('p', { class: 'degraded' });
  #body = html('tbody', { role: 'rowgroup' });
  /** @type {Map<string, OfferingRow>} */
  #rows = new Map();
  /** @type {Model | null} */
  #model = null;
  element = html(
    'article',
    { class: 'card', tabindex: '-1' },
    html('header', {}, this.#heading, this.#facts, this.#degraded),
    this.#chart.element,
    html('div', { class: 'offerings' }, html('table', { role: 'table' }, head(), this.#body)),
  );

  /**
   * @param {Model} model
   * @param {number} nowMs
   */
  show(model, nowMs) {
    this.#model = model;
    this.history.add(nowMs, model);
    this.element.id = anchorOf(model.id);
    setText(this.#heading, model.id);
    const { success, failure } = model.outcomes_last_2m;
    const outcomes = success + failure;
    const ratio = outcomes === 0 ? '' : `, ${percent(success / outcomes)} succeeded`;
    const kind = model.stream ? 'streamed' : 'whole';
    setText(this.#facts, `${count(outcomes)} outcomes in 2 min${ratio} · ${kind} answers`);
    const reasons = model.degraded.map(
      (reason) => DEGRADED[/** @type {keyof typeof DEGRADED} */ (reason)] ?? '',
    );
    setText(this.#degraded, reasons.join(' '));
    this.#showRows(model);
    this.draw(nowMs);
  }

  /** @param {number} nowMs */
  draw(nowMs) {
    if (this.#model === null) return;
    this.#chart.draw(this.#model, this.history, coloursOf(this.#model), nowMs);
  }

  /** @param {Model} model */
  #showRows(model) {
    const colours = coloursOf(model);
    const rows = model.offerings.map((offering) => {
      let row = this.#rows.get(offering.offering);
      if (row === undefined) {
        row = new OfferingRow();
        this.#rows.set(offering.offering, row);
      }
      const isBest = offering.offering === model.best;
      row.show(offering, colours.get(offering.offering) ?? '', isBest);
      return row.element;
    });
    setChildren(this.#body, rows);
    const known = new Set(model.offerings.map(({ offering }) => offering));
    for (const key of this.#rows.keys()) if (!known.has(key)) this.#rows.delete(key);
  }
}

function head() {
  const cells = COLUMNS.map((label) => html('th', { role: 'columnheader', scope: 'col' }, label));
  return html('thead', { role: 'rowgroup' }, html('tr', { role: 'row' }, ...cells));
}

/** @param {Model} model */
function coloursOf({ offerings }) {
  /** @type {Map<string, number>} */
  const places = new Map();
  return new Map(
    offerings.map(({ offering, provider }) => {
      const place = places.get(provider) ?? 0;
      places.set(provider, place + 1);
      return [offering, shadeOf(provider, place)];
    }),
  );
}
