import { describe, expect, it } from 'vitest';
import type { HealthValue, TickRow } from '../../src/hotkeys/values.js';
import { type Breaker, breakerOf, breakersOf } from '../../src/route/breaker.js';
import { AS_OF, decideOn, health, measured, offering, snapshotOf, TICK, tick } from './fixtures.js';

function breaker(rows: TickRow[], other: Partial<HealthValue> = {}): Breaker {
  const snapshot = snapshotOf({ health: health({ ticks: { o: rows }, ...other }) });
  return breakerOf(snapshot.health, 'o', AS_OF);
}

const CLOSED = { state: 'closed', share: 1, reason: null };
const open = (reason: string) => ({ state: 'open', share: 0, reason });
const halfOpen = (share: number) => ({ state: 'half_open', share, reason: 'failures' });
const failed = (age: number) => tick(age, { error: 8 });

describe('the breaker', () => {
  it.each<[string, TickRow[], object]>([
    ['nothing known', [], CLOSED],
    ['five failures', [tick(0, { error: 5 })], CLOSED],
    ['six failures', [tick(0, { error: 6 })], open('failures')],
    [
      'eight failures over five ticks',
      [0, 1, 2, 3].map((age) => tick(age, { timeout: 2 })),
      open('failures'),
    ],
    ['exactly half succeeded', [tick(0, { error: 4, success: 4 })], CLOSED],
    [
      'two of five succeed for a minute',
      Array.from({ length: 12 }, (_, age) => tick(age, { error: 3, success: 2 })),
      open('failures'),
    ],
    [
      'three of five succeed for two minutes',
      Array.from({ length: 24 }, (_, age) => tick(age, { error: 2, success: 3 })),
      CLOSED,
    ],
    ['broken answers are failures', [tick(0, { invalid_response: 6 })], open('failures')],
    ['nothing but refusals', [tick(0, { rate_limited: 61 })], open('failures')],
    [
      'one in eight accepted, the rest refused',
      Array.from({ length: 24 }, (_, age) => tick(age, { rate_limited: 7, success: 1 })),
      CLOSED,
    ],
    [
      'what is not the provider’s failure',
      [tick(0, { cancelled: 50, content_filtered: 50, invalid_request: 50 })],
      CLOSED,
    ],
    [
      'failures in front of many successes',
      [tick(0, { error: 8 }), tick(1, { success: 500 })],
      open('failures'),
    ],
    [
      'failures behind many successes that came at once',
      [tick(0, { success: 2 }), tick(23, { error: 8 })],
      halfOpen(0.64),
    ],
    ['failures that left the window', [tick(24, { error: 800 })], CLOSED],
    ['failures ahead of as-of: clocks differ', [tick(-1, { error: 8 })], open('failures')],
    ['refused credentials', [tick(2, { unauthorized: 1 })], open('unauthorized')],
    ['one refused among successes', [tick(2, { unauthorized: 1, success: 1 })], CLOSED],
    [
      'failures of later attempts beside enough first ones',
      [tick(0, { success: 8 }), tick(0, { error: 80 }, { fallback: true })],
      CLOSED,
    ],
    [
      'failures of later attempts alone',
      [tick(0, { error: 8 }, { fallback: true })],
      open('failures'),
    ],
    [
      'failures of streamed and whole answers together',
      [tick(0, { error: 4 }), tick(0, { error: 4 }, { stream: true })],
      open('failures'),
    ],
  ])('%s', (_name, rows, expected) => {
    expect(breaker(rows)).toEqual(expected);
  });

  it.each<[string, TickRow[], object]>([
    ['stays open for two more ticks', [failed(2)], open('failures')],
    ['then lets one in twenty-five through', [failed(3)], halfOpen(0.04)],
    ['grows fourfold with a success', [failed(9), tick(4, { success: 1 })], halfOpen(0.16)],
    ['grows with each of a tick', [failed(9), tick(4, { success: 2 })], halfOpen(0.64)],
    [
      'waits where a call that began long ago times out',
      [failed(9), tick(4, { success: 1 }), tick(2, { timeout: 3 })],
      halfOpen(0.16),
    ],
    ['closes with many at once', [failed(9), tick(4, { success: 300 })], CLOSED],
    [
      'grows tick by tick',
      [failed(9), ...[6, 5].map((age) => tick(age, { success: 1 }))],
      halfOpen(0.64),
    ],
    [
      'is closed after three successes',
      [failed(9), ...[6, 5, 4].map((age) => tick(age, { success: 1 }))],
      CLOSED,
    ],
    ['opens again when a probe fails', [failed(9), tick(1, { error: 1 })], open('failures')],
    [
      'forgives a failure among successes',
      [failed(9), tick(1, { error: 1, success: 2 })],
      halfOpen(0.64),
    ],
    [
      'judges anew after it closed',
      [
        failed(9),
        ...[6, 5, 4, 3, 2, 1].map((age) => tick(age, { success: 3 })),
        tick(0, { success: 3, error: 2 }),
      ],
      CLOSED,
    ],
    ['has forgotten after two minutes', [failed(24)], CLOSED],
  ])('half open: %s', (_name, rows, expected) => {
    expect(breaker(rows)).toEqual(expected);
  });

  it('refusals count a little, and not at all where they name a time to stay away', () => {
    const rows = (untilMs: number) => [tick(1, { rate_limited: 90 }, { retry_until_ms: untilMs })];
    expect(breaker(rows(0))).toEqual(open('failures'));
    expect(breaker(rows((AS_OF - 1) * 1000))).toEqual(CLOSED);
  });

  it('is open until the latest Retry-After', () => {
    const until = (seconds: number) => ({ retry_until_ms: (AS_OF + seconds) * 1000 });
    expect(breaker([tick(3, { rate_limited: 1 }, until(1))])).toEqual(open('retry_after'));
    expect(breaker([tick(3, { rate_limited: 1 }, until(0))])).toEqual(CLOSED);
    const longestFirst = [
      tick(3, { rate_limited: 1 }, until(20)),
      tick(1, { rate_limited: 1 }, until(-3)),
    ];
    expect(breaker(longestFirst)).toEqual(open('retry_after'));
  });

  it('is open until a Retry-After that outlasts the ticks', () => {
    const hour = { retry_until: { o: (AS_OF + 3_600) * 1000 }, newest_tick: TICK - 100 };
    expect(breaker([], hour)).toEqual(open('retry_after'));
    expect(breaker([], { retry_until: { o: AS_OF * 1000 } })).toEqual(CLOSED);
    expect(breaker([], { retry_until: { other: (AS_OF + 3_600) * 1000 } })).toEqual(CLOSED);
    const shorter = tick(0, { rate_limited: 1 }, { retry_until_ms: (AS_OF - 1) * 1000 });
    expect(breaker([shorter], hour)).toEqual(open('retry_after'));
  });

  it.each([
    ['three are overdue', 3, [], TICK, open('overdue')],
    ['two are overdue', 2, [], TICK, CLOSED],
    ['as many succeeded since those began', 3, [tick(3, { success: 3 })], TICK, CLOSED],
    ['fewer succeeded since', 4, [tick(3, { success: 3 })], TICK, open('overdue')],
    ['many succeeded before', 3, [tick(4, { success: 50 })], TICK, open('overdue')],
    ['the gauge is 15 s old', 5, [], TICK - 3, CLOSED],
  ])('in flight: %s', (_name, overdue, ticks, newest, expected) => {
    const inflight = { o: { in_flight: 100, overdue, oldest_ms: 1 } };
    expect(breaker(ticks, { inflight, newest_tick: newest })).toEqual(expected);
  });
});

describe('refused credentials', () => {
  const named = offering('m', 'openai', { deployment: 'eu' });
  const mate = offering('other', 'openai', { deployment: 'eu', region: 'west' });
  const elsewhere = offering('other', 'openai', { deployment: 'us' });
  const foreign = offering('other', 'azure.ai.openai', { deployment: 'eu' });
  const nameless = offering('m', 'openai');
  const namelessMate = offering('other', 'openai');
  const all = [named, mate, elsewhere, foreign, nameless, namelessMate];
  const states = (ticks: Record<string, TickRow[]>) => {
    const of = breakersOf(measured(all, { ticks }), AS_OF);
    return all.map((it) => of(it)).map(({ state, reason }) => `${state} ${reason}`);
  };
  const CLOSED_ONE = 'closed null';
  const OPEN = 'open unauthorized';

  it('open all offerings of their deployment, and no others', () => {
    const refused = { [named.offering]: [tick(1, { unauthorized: 1 })] };
    expect(states(refused)).toEqual([OPEN, OPEN, CLOSED_ONE, CLOSED_ONE, CLOSED_ONE, CLOSED_ONE]);
    const { candidates, excluded } = decideOn(measured(all, { ticks: refused }), {
      model: 'other',
      limit: 8,
    });
    expect(candidates.map((it) => it.offering)).not.toContain(mate.offering);
    expect(excluded).toEqual([{ offering: mate.offering, reason: 'open_unauthorized' }]);
  });

  it('open one offering alone where its deployment has no name', () => {
    expect(states({ [nameless.offering]: [tick(1, { unauthorized: 1 })] })).toEqual([
      ...[CLOSED_ONE, CLOSED_ONE, CLOSED_ONE, CLOSED_ONE],
      OPEN,
      CLOSED_ONE,
    ]);
  });

  it('are those of one model where another one of the deployment succeeds meanwhile', () => {
    expect(
      states({
        [named.offering]: [tick(1, { unauthorized: 9 })],
        [mate.offering]: [tick(1, { success: 1 }), tick(2, { success: 50 })],
      }),
    ).toEqual([OPEN, ...Array.from({ length: 5 }, () => CLOSED_ONE)]);
  });

  it('are tried again by a few, and trusted as these succeed', () => {
    const shareOfMate = (...ofNamed: TickRow[]) =>
      breakersOf(measured(all, { ticks: { [named.offering]: ofNamed } }), AS_OF)(mate).share;
    const refused = tick(9, { unauthorized: 1 });
    expect(shareOfMate(refused)).toBe(0.04);
    expect(shareOfMate(refused, tick(1, { unauthorized: 1 }))).toBe(0);
    expect(shareOfMate(refused, tick(1, { success: 1 }))).toBe(0.16);
    expect(shareOfMate(refused, tick(1, { success: 100 }))).toBe(1);
  });

  it('do not count as other failures of the deployment do', () => {
    const broken = { [named.offering]: [tick(1, { error: 50 })] };
    expect(states(broken)[0]).toBe('open failures');
    expect(states(broken).slice(1)).toEqual(Array.from({ length: 5 }, () => CLOSED_ONE));
  });
});
