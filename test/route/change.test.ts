import { describe, expect, it } from 'vitest';
import type { MinuteRow, TickRow } from '../../src/hotkeys/values.js';
import { type Changes, changesOf } from '../../src/route/change.js';
import { addTally, emptyTally, type Tally } from '../../src/route/tally.js';
import { windowOf } from '../../src/route/window.js';
import { generator } from './closed-loop.js';
import { AS_OF, measured, minute, tick } from './fixtures.js';

function changesIn(ticks: TickRow[], minutes: MinuteRow[]): Changes | null {
  const snapshot = measured([], { ticks: { o: ticks }, minutes: { o: minutes } });
  const metrics = snapshot.metrics.get('o');
  const plain = { plainMs: 2_350, usualGeneration: 53 };
  const rows = { offering: 'o', metrics, health: snapshot.health, ...plain };
  return changesOf(windowOf(rows, AS_OF, false));
}

const changeOf = (ticks: TickRow[], minutes: MinuteRow[] = []): number | null =>
  changesIn(ticks, minutes)?.newest ?? null;

const ages = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);
const calm = (from: number) => ages(from, 24).map((age) => tick(age, { success: 10 }));
const goodMinutes = ages(3, 30).map((age) => minute(age, { success: 99, error: 1 }));

describe('the test for a change', () => {
  it('sees none where nothing happened', () => {
    expect(changeOf([])).toBeNull();
    expect(changeOf(calm(0), goodMinutes)).toBeNull();
  });

  it.each([1, 2, 3])('finds failures that began %d ticks ago', (length) => {
    const failing = ages(0, length).map((age) => tick(age, { success: 3, error: 7 }));
    expect(changeOf([...failing, ...calm(length)], goodMinutes)).toBe(length);
  });

  it('finds a slowdown to twice the time', () => {
    const slow = ages(0, 4).map((age) => tick(age, { success: 5 }, { pace: 8 }));
    const even = ages(4, 24).map((age) => tick(age, { success: 5 }, { pace: 0 }));
    expect(changeOf([...slow, ...even])).toBe(4);
  });

  it('finds a recovery behind a failure', () => {
    const ticks = [
      ...ages(0, 4).map((age) => tick(age, { success: 10 })),
      ...ages(4, 12).map((age) => tick(age, { success: 2, error: 8 })),
      ...calm(12),
    ];
    expect(changeOf(ticks, goodMinutes)).toBe(4);
  });

  it('knows since when nothing is as usual, whatever changed after that', () => {
    const ticks = [
      ...ages(0, 4).map((age) => tick(age, { success: 10 })),
      ...ages(4, 12).map((age) => tick(age, { success: 2, error: 8 })),
      ...calm(12),
    ];
    expect(changesIn(ticks, goodMinutes)).toEqual({ newest: 4, first: 12 });
  });

  it('does not take shorter answers for a change', () => {
    // Slow to begin, fast then: pace 4 of short answers, -8 of long ones.
    const sized = (age: number, short: number, long: number): TickRow => ({
      ...tick(age, { success: short + long }),
      pace: [short + long, 4 * short - 8 * long, 16 * short + 64 * long],
      generation: [10 * short + 50 * long, 100 * short + 2_500 * long, 40 * short - 400 * long],
    });
    const mixed = ages(3, 24).map((age) => sized(age, 3, 7));
    const short = ages(0, 3).map((age) => sized(age, 10, 0));
    expect(changeOf([...short, ...mixed])).toBeNull();
    const unsized = [...short, ...mixed].map(({ generation: _, ...row }) => row);
    expect(changeOf(unsized)).toBe(3);
  });

  it('holds on to failures when all ticks are of them', () => {
    const failing = ages(0, 24).map((age) => tick(age, age % 8 === 0 ? { error: 1 } : {}));
    expect(changeOf(failing, goodMinutes)).not.toBeNull();
  });

  it('remembers a failure that is older than the ticks', () => {
    const failing = ages(3, 10).map((age) => minute(age, { error: 4 }));
    const good = ages(10, 30).map((age) => minute(age, { success: 99, error: 1 }));
    // 24 ticks and the minutes of ages 0 to 9.
    expect(changeOf([], [...failing, ...good])).toBe(34);
  });

  it('takes a first failure, or a single one, for no change', () => {
    expect(changeOf([tick(0, { error: 5 })])).toBeNull();
    expect(changeOf([tick(0, { error: 1 }), ...calm(1)], goodMinutes)).toBeNull();
  });

  it('is wrong less than once a day over steady traffic', () => {
    // Half a day of ticks of ten outcomes, 2 % of them failures, pace with σ of 6 eighths.
    const random = generator(1);
    const ticks: Tally[] = [];
    const minutes = [emptyTally()];
    let changes = 0;
    let wasChanged = false;
    for (let now = 0; now < 8640 + 400; now++) {
      if (now % 12 === 0) minutes.unshift(emptyTally());
      ticks.unshift(steadyTick(random));
      if (ticks.length > 24) addTally(minutes[0]!, ticks.pop()!);
      const bins = [...ticks, ...minutes.slice(0, 31)];
      if (now < 400) continue;
      const isChanged = changesOf({ bins }) !== null;
      if (isChanged && !wasChanged) changes += 1;
      wasChanged = isChanged;
    }
    // Six days of such ticks had 2 changes; more than 2 in half a day are one chance in 1,000.
    expect(changes).toBeLessThanOrEqual(2);
  });
});

function steadyTick(random: () => number): Tally {
  const tally = emptyTally();
  for (let i = 0; i < 10; i++) {
    if (random() < 0.02) {
      tally.failure += 1;
      continue;
    }
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const pace = Math.round(6 * normal);
    const squares = pace * pace;
    const one = { ...emptyTally(), success: 1, paceCount: 1, paceSum: pace, paceSquares: squares };
    addTally(tally, one);
  }
  return tally;
}
