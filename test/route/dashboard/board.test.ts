import { expect, test } from 'vitest';
import type { Clock } from '../../../src/clock.js';
import { liveBoard } from '../../../src/route/dashboard/live-board.js';
import { board as boardSchema } from '../../../src/route/dashboard/schema.js';
import { MASS_TOTAL } from '../../../src/route/masses.js';
import { makePolicy } from '../../../src/route/policy.js';
import type { Snapshot } from '../../../src/route/snapshot.js';
import {
  AS_OF,
  catalogue,
  decideOn,
  health,
  measured,
  minute,
  offering,
  snapshotOf,
  TICK,
  tick,
} from '../fixtures.js';
import { appOf } from '../route-app.js';

const cheap = offering('busy', 'openai', { input: 1_000_000 });
const dear = offering('busy', 'azure.ai.openai', { region: 'eu' });
const quiet = offering('quiet', 'mistral');
const idle = offering('Idle', 'mistral', { prices: [] });
const offerings = [cheap, dear, quiet, idle];
const snapshot = measured(offerings, {
  ticks: {
    [cheap.offering]: [
      tick(0, { success: 5, error: 1 }),
      tick(23, { success: 2 }),
      tick(24, { error: 9 }),
    ],
    [dear.offering]: [tick(1, { success: 1, cancelled: 7 }, { fallback: true })],
  },
  minutes: {
    [cheap.offering]: [minute(5, { success: 90 })],
    [dear.offering]: [minute(5, { success: 90 })],
    [quiet.offering]: [minute(29, { success: 3 })],
    [idle.offering]: [minute(31, { success: 300 })],
  },
});

const moment = (of: Snapshot = snapshot) => ({
  snapshot: of,
  asOf: AS_OF,
  nowMs: AS_OF * 1000,
  staleAfterMs: 10_000,
});
const boardOf = (of: Snapshot = snapshot, tenant = '') =>
  liveBoard(moment(of), { tenant, limit: 20 });
const get = async (url: string, of: Snapshot | null = snapshot, clock?: Clock) => {
  const { app } = appOf(of, clock === undefined ? {} : { clock });
  return app.inject({ method: 'GET', url });
};

test('the board has what was used in the last 30 minutes, the most used first', () => {
  const board = boardOf();
  expect(board).toMatchObject({ models_total: 3, offerings_total: 4, models_matching: 2 });
  expect(board.models.map(({ id }) => id)).toEqual(['busy', 'quiet']);
});

test('a part of a name finds any model, in any case', async () => {
  const ids = async (query: string) =>
    (await get(`/v1/board?${query}`)).json().models.map(({ id }: { id: string }) => id);
  expect(await ids('model=iDL')).toEqual(['Idle']);
  expect(await ids('model=i')).toEqual(['quiet', 'Idle']);
  expect(await ids('model=i&limit=1')).toEqual(['quiet']);
  expect(await ids('model=__proto__')).toEqual([]);
});

test('I8 shares are the masses that a plain request is decided by now', () => {
  const decided = decideOn(snapshot, { model: 'busy' });
  const expected = new Map(decided.eligible.map(({ offering: key, mass }) => [key, mass]));
  const model = boardOf().models[0]!;
  for (const { offering: key, share } of model.offerings) {
    expect(share * MASS_TOTAL).toBe(expected.get(key));
  }
  expect(model.offerings.reduce((sum, { share }) => sum + share, 0)).toBe(1);
  expect(model.best).toBe(cheap.offering);
  const first = model.offerings.find(
    ({ offering: key }) => key === decided.candidates[0]!.offering,
  )!;
  expect(first.expected).toEqual(decided.candidates[0]!.expected);
});

test('ticks are the last two minutes, oldest first; what is neither success nor failure is none', () => {
  const model = boardOf().models[0]!;
  const ticksOf = (key: string) => model.offerings.find((it) => it.offering === key)!.ticks;
  const at = (values: Record<number, number>) =>
    Array.from({ length: 24 }, (_, place) => values[place] ?? 0);
  expect(ticksOf(cheap.offering)).toEqual({ success: at({ 23: 5, 0: 2 }), failure: at({ 23: 1 }) });
  expect(ticksOf(dear.offering)).toEqual({ success: at({ 22: 1 }), failure: at({}) });
  expect(model.outcomes_last_2m).toEqual({ success: 8, failure: 1 });
});

test('an open breaker is told with its reason and has no share', () => {
  const failing = measured([cheap, dear], {
    ticks: { [cheap.offering]: [tick(0, { error: 20 })] },
  });
  const [open] = boardOf(failing).models[0]!.offerings.filter(({ share }) => share === 0);
  expect(open).toMatchObject({
    offering: cheap.offering,
    breaker: { state: 'open', share: 0, reason: 'failures' },
    excluded: 'open_failures',
  });
});

test('a model of which nothing can be chosen has no shares, and says why', () => {
  const off = offering('off', 'openai', { enabled: false });
  const rows = { minutes: { [off.offering]: [minute(1, { success: 1 })] } };
  const model = boardOf(measured([off], rows)).models[0]!;
  expect(model.best).toBeNull();
  expect(model.offerings[0]).toMatchObject({ share: 0, excluded: 'offering_disabled' });
});

test('what is not known is null, not 0', () => {
  const unpriced = offering('busy', 'openai', { prices: [] });
  const rows = { ticks: { [unpriced.offering]: [tick(0, { success: 1 })] } };
  const [only] = boardOf(measured([unpriced], rows)).models[0]!.offerings;
  expect(only).toMatchObject({ price: null, expected: { cost_nano_usd: null, ttft_ms_p50: null } });
});

test('the age of the state is told, and when it is stale', () => {
  const aged = (seconds: number) =>
    liveBoard({ ...moment(), nowMs: (AS_OF + seconds) * 1000 }, { tenant: '', limit: 1 });
  expect(aged(10)).toMatchObject({ state: { age_ms: 10_000 }, degraded: [] });
  expect(aged(11)).toMatchObject({ state: { age_ms: 11_000 }, degraded: ['stale'] });
  const cold = { ...snapshot, state: null };
  expect(boardOf(cold)).toMatchObject({ state: { age_ms: null }, degraded: ['no_cache'] });
});

test('the same state and second give the same bytes', async () => {
  const at = (ms: number) => ({ nowMs: () => AS_OF * 1000 + ms });
  const bodies = await Promise.all(
    [at(0), at(999), at(0)].map(async (clock) => (await get('/v1/board', snapshot, clock)).body),
  );
  expect(new Set(bodies).size).toBe(1);
  const { app } = appOf(snapshot);
  const first = await app.inject({ url: '/v1/board' });
  const headers = { 'if-none-match': String(first.headers['etag']) };
  const second = await app.inject({ url: '/v1/board', headers });
  expect([first.body, second.statusCode, second.body]).toEqual([bodies[0], 304, '']);
});

test('another state or another second is another answer', async () => {
  let nowMs = AS_OF * 1000;
  let current = snapshot;
  const { app } = appOf(null, {
    clock: { nowMs: () => nowMs },
    snapshotSource: { current: () => current },
  });
  const seen = new Set<string>();
  const ask = async () => seen.add((await app.inject({ url: '/v1/board' })).body);
  await ask();
  nowMs += 1000;
  await ask();
  current = measured([cheap], { ticks: { [cheap.offering]: [tick(0, { success: 1 })] } });
  await ask();
  expect(seen.size).toBe(3);
});

test('in virtual time the board is as of the clock of decisions, and its age is of the wall', async () => {
  const virtual = { nowMs: () => AS_OF * 1000 };
  const wall = { nowMs: () => (AS_OF + 86_400) * 1000 };
  const { app } = appOf(snapshot, { clock: wall, asOfClock: virtual });
  const board = (await app.inject({ url: '/v1/board' })).json();
  expect(board).toMatchObject({ as_of: AS_OF * 1000, state: { age_ms: 86_400_000 } });
  expect(board.models.map(({ id }: { id: string }) => id)).toEqual(['busy', 'quiet']);
});

test('the answer has every field of its schema, and the schema every field of the board', async () => {
  const streamed = snapshotOf({
    models: catalogue([cheap]),
    health: health({ newest_tick: TICK, ticks: { [cheap.offering]: [tick(0, { success: 1 })] } }),
  });
  const answer = await get('/v1/board', streamed);
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toEqual(JSON.parse(JSON.stringify(boardOf(streamed))));
  expectFields(boardSchema.response[200] as unknown as Shape, answer.json());
});

interface Shape {
  properties?: Record<string, Shape>;
  items?: Shape;
}

function expectFields(shape: Shape, value: unknown): void {
  if (value === null) return;
  if (shape.items !== undefined) {
    for (const item of value as unknown[]) expectFields(shape.items, item);
  }
  if (shape.properties === undefined) return;
  expect(Object.keys(value as object).toSorted()).toEqual(Object.keys(shape.properties).toSorted());
  for (const [name, inner] of Object.entries(shape.properties)) {
    expectFields(inner, (value as Record<string, unknown>)[name]);
  }
}

test.each(['limit=0', 'limit=101', 'limit=x', 'model=', 'page=1'])(
  '?%s is refused with its field',
  async (query) => {
    const answer = await get(`/v1/board?${query}`);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'invalid_request', field: query.split('=')[0] });
  },
);

test('without a state there is no board yet', async () => {
  const answer = await get('/v1/board', null);
  expect(answer.statusCode).toBe(503);
  expect(answer.json()).toMatchObject({ code: 'not_ready' });
});

test('shares are those of the default policy of who asks', () => {
  const policy = (document: object) => makePolicy({ name: 'p', ...document });
  const under = (document: object, tenant = '') => {
    const policies = new Map([['p', policy(document)]]);
    const board = boardOf({ ...snapshot, policies }, tenant);
    const [busy] = board.models;
    const shares = new Map(busy!.offerings.map(({ offering: key, share }) => [key, share]));
    return { policy: board.policy, share: shares.get(cheap.offering), best: busy!.best };
  };
  const dearOnly = { default_for: ['acme'], provider: { only: ['azure.ai.openai'] } };
  expect(under(dearOnly, 'acme')).toEqual({ policy: 'p', share: 0, best: dear.offering });
  expect(under(dearOnly, 'globex').policy).toBe('');
  expect(under(dearOnly, 'globex').share).toBeGreaterThan(0.5);
  const unknown = { default_for: ['*'], models: ['gone'] };
  expect(under(unknown)).toEqual({ policy: 'p', share: 0, best: null });
});
