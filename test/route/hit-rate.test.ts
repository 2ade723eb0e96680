import { expect, it } from 'vitest';
import { routeBodyOf } from '../../src/demo/requests.js';
import { createTraffic } from '../../src/load/traffic.js';
import { BoardCache } from '../../src/route/board-cache.js';
import { planOf } from '../../src/route/plan.js';
import type { RouteRequest } from '../../src/route/request.js';
import { ChangingState } from './changing-state.js';
import { AS_OF, request } from './fixtures.js';

const STATE_MS = 100;
/** Before the rates are taken, so that everything was asked for once. */
const WARM_MS = 2_000;
const END_MS = 7_000;

/** The share of requests that find their plan made, of the load's traffic at these rates. */
function hitRate(requestsPerState: number, outcomesPerState: number): number {
  const startMs = AS_OF * 1000;
  const traffic = createTraffic('1', startMs, END_MS / 1000);
  const state = new ChangingState();
  const waiting: (() => void)[] = [];
  const boards = new BoardCache((run) => waiting.push(run));
  let index = 0;
  let hits = 0;
  let asked = 0;
  for (let ms = 0; ms < END_MS; ms += STATE_MS) {
    for (let i = 0; i < outcomesPerState; i++) {
      const each = index + i * 7;
      state.add(traffic.outcome(each, traffic.request(each), startMs + ms), startMs + ms);
    }
    const snapshot = state.next(startMs + ms);
    const second = Math.floor((startMs + ms) / 1000);
    boards.renew(snapshot, second);
    for (let i = 0; i < requestsPerState; i++) {
      const body = request(routeBodyOf(traffic.request(index++)) as Partial<RouteRequest>);
      const board = boards.boardOf(snapshot, second, body.stream);
      const { plansMade } = board;
      planOf(board, body);
      waiting.shift()?.();
      if (ms < WARM_MS) continue;
      asked += 1;
      if (board.plansMade === plansMade) hits += 1;
    }
  }
  return hits / asked;
}

it('of 1,000 requests a second over ten states a second four of five find their plan made', () => {
  // As many outcomes a second, a tenth of that, and none: states that only say that they are new.
  expect(hitRate(100, 100)).toBeGreaterThan(0.8);
  expect(hitRate(100, 10)).toBeGreaterThan(0.8);
  expect(hitRate(100, 0)).toBeGreaterThan(0.95);
});
