/** @import { Board, Found } from './poll.js' */
import { html } from './dom.js';
import { age, timeOfDay } from './format.js';

/**
 * What the page has to say beside the numbers: a sentence, and commands that lead on.
 *
 * @typedef {{ level: 'warn' | 'bad' | 'hint', title: string, text: string, commands: string[] }} Notice
 */

/**
 * @param {{ found: Found, board: Board | null, boardAtMs: number, nowMs: number, wanted: string }} seen
 * @returns {Notice | null}
 */
export function noticeOf({ found, board, boardAtMs, nowMs, wanted }) {
  const then = board === null ? '' : ` What is shown is of ${timeOfDay(boardAtMs)}.`;
  switch (found.link) {
    case 'gone':
      return notice('bad', 'The router does not answer.', `It is asked again each second.${then}`);
    case 'locked':
      return notice(
        'warn',
        'The router asks for an access key.',
        `It says: ${found.detail}.${then}`,
      );
    case 'refused':
      return notice('bad', 'The router refuses.', `${found.detail}.${then}`);
    case 'waiting':
      return notice(
        'warn',
        'The router has no state yet.',
        'It waits for the hot keys that a projector writes. Is one running?',
        ['npx --no-install airouter project'],
      );
    case 'connecting':
      return null;
    case 'live':
      return board === null ? null : noticeOfBoard(board, nowMs - boardAtMs, wanted);
  }
}

/**
 * @param {Board} board
 * @param {number} sinceMs
 * @param {string} wanted
 * @returns {Notice | null}
 */
function noticeOfBoard(board, sinceMs, wanted) {
  const { state, degraded, offerings_total, models } = board;
  if (degraded.includes('no_cache')) {
    const text = 'It answers in the order of the catalogue file. Is a projector running?';
    return notice('bad', 'The router has read no hot keys.', text);
  }
  if (state.age_ms !== null && state.age_ms + sinceMs > state.stale_after_ms) {
    const old = age(state.age_ms + sinceMs);
    const text = `It is ${old} old: no projector has confirmed it since. Answers say so too.`;
    return notice('warn', 'The state is stale.', text);
  }
  if (offerings_total === 0) {
    return notice('hint', 'There is no catalogue yet.', 'Bring in models, providers and prices:', [
      'npx --no-install airouter catalogue import',
    ]);
  }
  if (models.length > 0) return null;
  if (wanted !== '') {
    return notice('hint', 'No such model.', `No model’s name contains “${wanted}”.`);
  }
  return notice(
    'hint',
    'No outcomes in the last 30 minutes.',
    'Find a model above to see how it would be routed, or tell (the ingest role, wherever it is) how a request ended:',
    [exampleOutcome()],
  );
}

function exampleOutcome() {
  const outcome =
    '{"source":"try","id":"1","occurred_at":\'$(date +%s000)\',"model":"gpt-4o","provider":"openai","http_status":200,"duration_ms":900}';
  return `curl ${location.origin}/v1/outcomes -H 'content-type: application/json' -d '{"outcomes":[${outcome}]}'`;
}

/**
 * @param {Notice['level']} level
 * @param {string} title
 * @param {string} text
 * @param {string[]} [commands]
 * @returns {Notice}
 */
const notice = (level, title, text, commands = []) => ({ level, title, text, commands });

/** @param {Notice} shown */
export function noticeElement({ level, title, text, commands }) {
  return html(
    'div',
    { class: `notice ${level}` },
    html('p', {}, html('strong', {}, title), ` ${text}`),
    ...commands.map((command) => html('pre', { tabindex: '0' }, html('code', {}, command))),
  );
}
