/** @import { Board, Found, Model } from './poll.js' */
import { accessForm } from './access-key.js';
import { nameColours } from './colours.js';
import { setChildren, setText } from './dom.js';
import { ModelCard } from './model-card.js';
import { noticeElement, noticeOf } from './notices.js';
import { poll } from './poll.js';
import { Summary, troublesOf, troubleText } from './summary.js';

const find = /** @type {HTMLInputElement} */ (document.querySelector('#find'));
const list = /** @type {HTMLElement} */ (document.querySelector('#models'));
const notices = /** @type {HTMLElement} */ (document.querySelector('#notices'));
const announcement = /** @type {HTMLElement} */ (document.querySelector('#announcement'));
const summary = new Summary(/** @type {HTMLElement} */ (document.querySelector('#summary')));

/** Kept for models that are not shown for a while: their charts go on. @type {Map<string, ModelCard>} */
const cards = new Map();
const CARDS_MAX = 200;
/** Models in the order of the page: it changes only where it must. @type {string[]} */
let order = [];
/** @type {Board | null} */
let board = null;
let boardAtMs = 0;
/** @type {Found} */
let found = { link: 'connecting', detail: '' };

find.value = new URLSearchParams(location.search).get('model') ?? '';
const polling = poll({
  url: () => (wanted() === '' ? '/v1/board' : `/v1/board?model=${encodeURIComponent(wanted())}`),
  onBoard(next) {
    if (next !== board) boardAtMs = Date.now();
    board = next;
    found = { link: 'live', detail: '' };
    showModels(next);
    show();
  },
  onProblem(problem) {
    found = problem;
    show();
  },
});
const access = accessForm(() => polling.now());
setInterval(show, 1000);

find.addEventListener('input', () => {
  const query = wanted() === '' ? location.pathname : `?model=${encodeURIComponent(wanted())}`;
  history.replaceState(null, '', query);
  order = [];
  polling.now();
});

function wanted() {
  return find.value.trim();
}

/** @param {Board} next */
function showModels({ models }) {
  const nowMs = Date.now();
  nameColours(models.flatMap((model) => model.offerings.map(({ provider }) => provider)));
  const byId = new Map(models.map((model) => [model.id, model]));
  const stayed = order.filter((id) => byId.has(id));
  order = [...stayed, ...[...byId.keys()].filter((id) => !stayed.includes(id))];
  const elements = order.map((id) => {
    const card = cardOf(id);
    card.show(/** @type {Model} */ (byId.get(id)), nowMs);
    return card.element;
  });
  setChildren(list, elements);
}

/** @param {string} id */
function cardOf(id) {
  let card = cards.get(id);
  if (card === undefined) {
    card = new ModelCard();
    if (cards.size >= CARDS_MAX) cards.delete(/** @type {string} */ (cards.keys().next().value));
    cards.set(id, card);
  }
  return card;
}

/** All that changes with time alone, or with how the router was found. */
function show() {
  if (document.hidden) return;
  const nowMs = Date.now();
  const isGone = ['gone', 'refused', 'locked'].includes(found.link);
  if (board !== null) summary.show(board, nowMs - boardAtMs, isGone);
  const notice = noticeOf({ found, board, boardAtMs, nowMs, wanted: wanted() });
  document.documentElement.dataset['link'] = found.link;
  access.show(found.link === 'locked');
  if (isGone) for (const id of order) cards.get(id)?.draw(nowMs);
  if (notices.textContent !== (notice === null ? '' : noticeElement(notice).textContent)) {
    notices.replaceChildren(...(notice === null ? [] : [noticeElement(notice)]));
  }
  announce(notice === null || notice.level === 'hint' ? '' : notice.title);
}

/** Told to screen readers when it changes: what is wrong, and which breakers are not closed. */
function announce(/** @type {string} */ title) {
  const troubles = board === null ? [] : troublesOf(board);
  const texts = troubles
    .slice(0, 3)
    .map(({ model, offering }) => troubleText(model, offering).replace(/\s[\d.]+\s%$/, ''));
  setText(announcement, [title, ...texts].filter(Boolean).join(' '));
  const open = troubles.filter(({ offering }) => offering.breaker.state === 'open').length;
  const mark = title !== '' ? '! ' : open > 0 ? `${open} open · ` : '';
  if (document.title !== `${mark}AiRouter`) document.title = `${mark}AiRouter`;
}
