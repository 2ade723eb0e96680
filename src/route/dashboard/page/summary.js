/** @import { Board, Model, Offering } from './poll.js' */
import { html, setAttribute, setChildren, setText } from './dom.js';
import { age, count, percent, utc } from './format.js';
import { anchorOf } from './model-card.js';
import { breakerText } from './offering-row.js';

/** More would push the models off the screen. */
const TROUBLES_SHOWN = 6;
/** Beyond this the clock of decisions is not that of the wall: a closed loop in virtual time. */
const VIRTUAL_MS = 60_000;

/** The first row: how fresh, what is broken, how much. */
export class Summary {
  #age = new Tile('State');
  #breakers = new Tile('Breakers');
  #traffic = new Tile('Outcomes in 2 min');
  #catalogue = new Tile('Catalogue');
  #troubles = html('ul', { class: 'troubles' });

  /** @param {Element} parent */
  constructor(parent) {
    this.#breakers.element.append(this.#troubles);
    const tiles = [this.#age, this.#breakers, this.#traffic, this.#catalogue];
    parent.append(...tiles.map(({ element }) => element));
  }

  /**
   * @param {Board} board
   * @param {number} sinceMs time since it came
   * @param {boolean} isGone
   */
  show(board, sinceMs, isGone) {
    this.showAge(board, sinceMs, isGone);
    const troubles = troublesOf(board);
    const open = troubles.filter(({ offering }) => offering.breaker.state === 'open').length;
    this.#showBreakers(troubles, open);
    const success = board.models.reduce((sum, model) => sum + model.outcomes_last_2m.success, 0);
    const failure = board.models.reduce((sum, model) => sum + model.outcomes_last_2m.failure, 0);
    const total = success + failure;
    const ratio = total === 0 ? '' : `${percent(success / total)} succeeded, `;
    this.#traffic.show(count(total), `${ratio}of the models shown`, '');
    const { models_total, offerings_total, models_matching, models } = board;
    const shown = `${count(offerings_total)} offerings · ${models.length} of ${count(models_matching)} shown`;
    this.#catalogue.show(
      `${count(models_total)} ${models_total === 1 ? 'model' : 'models'}`,
      shown,
      '',
    );
  }

  /**
   * @param {Board} board
   * @param {number} sinceMs
   * @param {boolean} isGone
   */
  showAge({ state, as_of, now }, sinceMs, isGone) {
    if (state.age_ms === null) {
      this.#age.show('none', 'No hot keys were read yet', 'bad');
      return;
    }
    const ageMs = state.age_ms + sinceMs;
    const isStale = ageMs > state.stale_after_ms;
    const virtual = Math.abs(now - as_of) > VIRTUAL_MS ? `\nvirtual time ${utc(as_of)}` : '';
    const detail = `version ${count(state.version)}\ngeneration ${state.generation}${virtual}`;
    const mark = isGone ? ' · router gone' : isStale ? ' · stale' : '';
    this.#age.show(`${age(ageMs)} old${mark}`, detail, isGone ? 'bad' : isStale ? 'warn' : 'good');
  }

  /**
   * @param {{ model: Model, offering: Offering }[]} troubles
   * @param {number} open
   */
  #showBreakers(troubles, open) {
    const probing = troubles.length - open;
    const counts = [open > 0 && `${open} open`, probing > 0 && `${probing} half-open`];
    const text = counts.filter(Boolean).join(' · ') || 'all closed';
    const level = open > 0 ? 'bad' : probing > 0 ? 'warn' : 'good';
    const hidden = troubles.length - TROUBLES_SHOWN;
    this.#breakers.show(text, hidden > 0 ? `and ${hidden} more below` : '', level);
    const known = new Map([...this.#troubles.children].map((item) => [item.id, item]));
    const items = troubles.slice(0, TROUBLES_SHOWN).map(({ model, offering }) => {
      const id = `trouble-${encodeURIComponent(offering.offering)}`;
      const item =
        known.get(id) ?? html('li', { id }, html('a', { href: `#${anchorOf(model.id)}` }));
      setAttribute(item, 'class', offering.breaker.state);
      if (item.firstElementChild) setText(item.firstElementChild, troubleText(model, offering));
      return item;
    });
    setChildren(this.#troubles, items);
  }
}

/** @param {Model} model @param {Offering} offering */
export function troubleText(model, offering) {
  const region = offering.region ? ` ${offering.region}` : '';
  return `${model.id} at ${offering.provider}${region}: ${breakerText(offering)}`;
}

/**
 * The open ones first.
 *
 * @param {Board} board
 */
export function troublesOf({ models }) {
  const troubled = models.flatMap((model) =>
    model.offerings
      .filter(({ breaker }) => breaker.state !== 'closed')
      .map((offering) => ({ model, offering })),
  );
  const isOpen = (/** @type {Offering} */ { breaker }) => (breaker.state === 'open' ? 0 : 1);
  return troubled.sort((a, b) => isOpen(a.offering) - isOpen(b.offering));
}

class Tile {
  #value = html('p', { class: 'value' });
  #detail = html('p', { class: 'detail' });
  element;

  /** @param {string} title */
  constructor(title) {
    this.element = html('div', { class: 'tile' }, html('h2', {}, title), this.#value, this.#detail);
  }

  /**
   * @param {string} value
   * @param {string} detail
   * @param {'' | 'good' | 'warn' | 'bad'} level
   */
  show(value, detail, level) {
    setText(this.#value, value);
    setText(this.#detail, detail);
    setAttribute(this.element, 'class', `tile ${level}`);
  }
}
