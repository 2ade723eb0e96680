import { accessKey } from './access-key.js';

/**
 * What `GET /v1/board` answers.
 *
 * @typedef {{ success: number, failure: number }} Traffic
 * @typedef {{ state: 'closed' | 'open' | 'half_open', share: number, reason: string | null }} Breaker
 * @typedef {{
 *   offering: string, provider: string, deployment: string, region: string, call_as: string,
 *   share: number, excluded: string | null, breaker: Breaker, samples: number, changed: boolean,
 *   expected: {
 *     duration_ms_p50: number, ttft_ms_p50: number | null, cost_nano_usd: number | null,
 *     success_ratio: number
 *   },
 *   price: { input: number | null, output: number | null } | null,
 *   ticks: { success: number[], failure: number[] }
 * }} Offering
 * @typedef {{
 *   id: string, name: string, stream: boolean, degraded: string[], outcomes_last_2m: Traffic,
 *   best: string | null, offerings: Offering[]
 * }} Model
 * @typedef {{
 *   as_of: number, now: number,
 *   state: {
 *     version: number, generation: string, age_ms: number | null, stale_after_ms: number
 *   },
 *   degraded: string[], models_total: number, offerings_total: number, models_matching: number,
 *   models: Model[]
 * }} Board
 *
 * How the router was found. `waiting`: it has no state yet; `locked`: it asks for another key;
 * `refused`: it does not serve us.
 * @typedef {'connecting' | 'live' | 'waiting' | 'locked' | 'refused' | 'gone'} Link
 * @typedef {{ link: Link, detail: string }} Found
 */

const INTERVAL_MS = 1000;
const TIMEOUT_MS = 5000;

/**
 * Asks for the board each second while the page is looked at, one request at a time. An unchanged
 * board is answered by 304 and given again: it is as good as new.
 *
 * @param {{ url: () => string, onBoard: (board: Board) => void, onProblem: (found: Found) => void }} options
 * @returns {{ now: () => void }} asks at once
 */
export function poll({ url, onBoard, onProblem }) {
  /** @type {{ url: string, etag: string | null, board: Board } | null} */
  let last = null;
  let timer = 0;
  let turn = 0;

  const ask = async () => {
    clearTimeout(timer);
    turn += 1;
    const mine = turn;
    const asked = url();
    const known = last?.url === asked ? last : null;
    const key = accessKey();
    try {
      const answer = await fetch(asked, {
        cache: 'no-store',
        headers: {
          ...(known?.etag && { 'if-none-match': known.etag }),
          ...(key !== null && { authorization: `Bearer ${key}` }),
        },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      // Somebody asked anew meanwhile, for something else.
      if (mine !== turn) return;
      if (answer.status === 304 && known !== null) onBoard(known.board);
      else if (answer.ok) {
        const board = await answer.json();
        last = { url: asked, etag: answer.headers.get('etag'), board };
        onBoard(board);
      } else onProblem(await problemOf(answer));
    } catch (error) {
      if (mine !== turn) return;
      onProblem({ link: 'gone', detail: error instanceof Error ? error.message : String(error) });
    }
    if (mine === turn && !document.hidden) timer = setTimeout(ask, INTERVAL_MS);
  };

  document.addEventListener('visibilitychange', () => {
    if (document.hidden) clearTimeout(timer);
    else ask();
  });
  ask();
  return { now: ask };
}

/**
 * @param {Response} answer
 * @returns {Promise<Found>}
 */
async function problemOf(answer) {
  const problem = await answer.json().catch(() => ({}));
  const detail = typeof problem.detail === 'string' ? problem.detail : `HTTP ${answer.status}`;
  return { link: linkOf(problem.code), detail };
}

/**
 * @param {unknown} code
 * @returns {Link}
 */
function linkOf(code) {
  if (code === 'not_ready') return 'waiting';
  // Without keys a router is forbidden to who is elsewhere, and no key would help.
  const isLocked = code === 'unauthorized' || (code === 'forbidden' && accessKey() !== null);
  return isLocked ? 'locked' : 'refused';
}
