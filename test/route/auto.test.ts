import { describe, expect, it } from 'vitest';
import type { MinuteRow } from '../../src/hotkeys/values.js';
import { MASS_TOTAL } from '../../src/route/masses.js';
import { type Behaviour, closedLoop } from './closed-loop.js';
import { decideOn, measured, minute, offering, tick } from './fixtures.js';

const a = offering('m', 'a', { input: 500_000_000, output: 2_000_000_000 });
const b = offering('m', 'b', { input: 1_500_000_000, output: 6_000_000_000 });
const c = offering('m', 'c', { input: 1_600_000_000, output: 6_000_000_000 });

const BROKEN_FROM = 150;
const BROKEN_TO = 330;
const SECONDS = 600;

const steady: Behaviour = () => ({ success: 0.99, pace: 0 });
const during =
  (bad: ReturnType<Behaviour>): Behaviour =>
  (second) =>
    second >= BROKEN_FROM && second < BROKEN_TO ? bad : { success: 0.99, pace: 0 };

/** Mean share of `a` over the seconds [from, to). */
function shareOf(shares: Map<string, number>[], from: number, to: number): number {
  const ticks = shares.slice(from / 5, to / 5);
  return ticks.reduce((sum, tick) => sum + (tick.get(a.offering) ?? 0), 0) / ticks.length;
}

/** Ten times the price. */
function dearer(prices: typeof a.prices): typeof a.prices {
  return prices.map((price) => ({
    ...price,
    tiers: price.tiers.map((tier) => ({
      ...tier,
      input: tier.input === null ? null : 10 * tier.input,
      output: tier.output === null ? null : 10 * tier.output,
    })),
  }));
}

const ages = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

describe('auto', () => {
  it.each([
    ['nearly all requests fail', { success: 0.1, pace: 0 }],
    ['two of three fail', { success: 0.33, pace: 0 }],
    ['answers take eight times as long', { success: 0.99, pace: 24 }],
  ])(
    'leaves a brown-out within four ticks and comes back after it: %s',
    (_name, bad) => {
      const shares = closedLoop([a, b, c], [during(bad), steady, steady], {
        seconds: SECONDS,
        perSecond: 10,
        strategy: 'auto',
        seed: 11,
      });
      const before = shareOf(shares, 50, BROKEN_FROM);
      expect(before).toBeGreaterThan(0.8);
      expect(shareOf(shares, BROKEN_FROM + 20, BROKEN_FROM + 25)).toBeLessThan(before / 2);
      expect(shareOf(shares, BROKEN_FROM + 20, BROKEN_TO)).toBeLessThan(before / 5);
      expect(shareOf(shares, SECONDS - 60, SECONDS)).toBeGreaterThan(before / 2);
    },
    60_000,
  );

  it('prefers what is cheaper, all else being equal and known', () => {
    const minutes = Object.fromEntries(
      [a, b, c].map((it) => [it.offering, [minute(5, { success: 200, error: 2 })]]),
    );
    const { eligible } = decideOn(measured([a, b, c], { minutes }));
    expect(eligible.find(({ offering }) => offering === a.offering)!.mass).toBeGreaterThan(
      0.9 * MASS_TOTAL,
    );
  });

  it('weighs the price against the time', () => {
    const minutes = {
      [a.offering]: [minute(5, { success: 200 }, { pace: 16 })],
      [b.offering]: [minute(5, { success: 200 }, { pace: -8 })],
    };
    const shareOfCheap = (output: number): number => {
      const estimate = { input_tokens: 100, output_tokens: output };
      const { eligible } = decideOn(measured([a, b], { minutes }), { estimate });
      return eligible.find(({ offering }) => offering === a.offering)!.mass / MASS_TOTAL;
    };
    // 100 in and 10 out: 0.07 m$ and 2.2 s against 0.21 m$ and 0.28 s.
    expect(shareOfCheap(10)).toBeLessThan(0.1);
  });

  it('sends short requests where answers begin soon, long ones where they go on fast', () => {
    // By the part of generating, 10 or 55 of 64: `a` slow to begin and fast then, `b` the same to all.
    const sized = (short: number, long: number): MinuteRow => ({
      ...minute(5, { success: 200 }),
      pace: [200, 100 * (short + long), 100 * (short ** 2 + long ** 2)],
      generation: [6_500, 312_500, 100 * (10 * short + 55 * long)],
    });
    const same = { ...b, prices: a.prices };
    const minutes = { [a.offering]: [sized(12, -12)], [same.offering]: [sized(0, 0)] };
    const snapshot = measured([a, same], { minutes });
    const massOfA = (output: number): number => {
      const estimate = { input_tokens: 100, output_tokens: output };
      const { eligible } = decideOn(snapshot, { estimate });
      return eligible.find(({ offering }) => offering === a.offering)!.mass / MASS_TOTAL;
    };
    expect(massOfA(5)).toBeLessThan(0.1);
    expect(massOfA(600)).toBeGreaterThan(0.9);
  });

  it('shares between near equals, however many outcomes tell them apart', () => {
    const twin = { ...b, prices: a.prices };
    const paced = (pace: number): MinuteRow => minute(5, { success: 20_000 }, { pace });
    const shareOfSlower = (pace: number): number => {
      const minutes = { [a.offering]: [paced(pace)], [twin.offering]: [paced(0)] };
      // The less traffic there is now, the more of it are tries.
      const ticks = { [twin.offering]: ages(0, 24).map((age) => tick(age, { success: 100 })) };
      const { eligible } = decideOn(measured([a, twin], { minutes, ticks }));
      return eligible.find(({ offering }) => offering === a.offering)!.mass / MASS_TOTAL;
    };
    // Slower by 0.9 %, and by a quarter.
    expect(shareOfSlower(0.1)).toBeGreaterThan(0.2);
    expect(shareOfSlower(0.1)).toBeLessThan(0.5);
    expect(shareOfSlower(2.6)).toBeLessThan(0.01);
  });

  it('leaves what fails at the first choice to the next best', () => {
    const rows = [minute(5, { success: 400, error: 4 })];
    const minutes = Object.fromEntries([a, b, c].map((it) => [it.offering, rows]));
    const far = { ...c, prices: dearer(c.prices) };
    const snapshot = measured([a, b, far], { minutes });
    const orders = Array.from({ length: 400 }, (_, index) =>
      decideOn(snapshot, { limit: 3 }, index).candidates.map(({ offering }) => offering),
    );
    const isOf = (...order: (typeof a)[]) =>
      orders.filter((it) => order.every(({ offering }, rank) => it[rank] === offering)).length;
    expect(isOf(a)).toBeGreaterThan(380);
    // 16 of 17 go by score.
    expect(isOf(a, b, far)).toBeGreaterThan(350);
    expect(isOf(a, far, b)).toBeGreaterThan(5);
  });

  it('tries one more, the longer nobody did, that would be the best if it became faster', () => {
    const usual = [minute(5, { success: 4000, error: 40 }), minute(1, { success: 600 })];
    const massAfter = (age: number): number => {
      const minutes = { [a.offering]: usual, [b.offering]: [minute(age, { success: 400 })] };
      const ticks = { [a.offering]: ages(0, 24).map((it) => tick(it, { success: 5 })) };
      const { eligible } = decideOn(measured([a, b], { minutes, ticks }));
      return eligible.find(({ offering }) => offering === b.offering)!.mass;
    };
    expect(massAfter(4)).toBeGreaterThan(209);
    expect(massAfter(12)).toBeGreaterThan(2 * massAfter(4));
  });

  it('comes back as soon as a few succeed at one that failed, and leaves it at once again', () => {
    const hardlyDearer = offering('m', 'd', { input: 550_000_000, output: 2_200_000_000 });
    const good = ages(12, 24).map((age) => tick(age, { success: 20 }));
    const shareAfter = (...newest: ReturnType<typeof tick>[]): number => {
      const bad = ages(6, 12).map((age) => tick(age, { error: 4, success: 1 }));
      const ticks = {
        [a.offering]: [...newest, ...bad, ...good],
        [hardlyDearer.offering]: ages(0, 24).map((age) => tick(age, { success: 20 })),
      };
      const { eligible } = decideOn(measured([a, hardlyDearer], { ticks }));
      const mass = eligible.find(({ offering }) => offering === a.offering)?.mass ?? 0;
      return mass / MASS_TOTAL;
    };
    expect(shareAfter(tick(1, { error: 1 }))).toBeLessThan(0.1);
    expect(shareAfter(tick(1, { success: 5 }))).toBeGreaterThan(0.8);
    expect(shareAfter(tick(1, { success: 5 }), tick(0, { error: 3 }))).toBeLessThan(0.3);
  });

  it('gives one of unknown price its floor alone', () => {
    const unknown = offering('m', 'x', { prices: [] });
    const { eligible, candidates } = decideOn(measured([a, unknown]), { limit: 2 });
    expect(eligible.find(({ offering }) => offering === unknown.offering)!.mass).toBe(209);
    const answered = candidates.find((it) => it.offering === unknown.offering)!;
    expect(answered.reasons).toContain('price_unknown');
    expect(answered.score).toBeNull();
  });

  it('takes a free one for free, not for unknown', () => {
    const free = offering('m', 'free', { input: 0, output: 0 });
    const { candidates } = decideOn(measured([free]));
    expect(candidates[0]!.expected.cost_nano_usd).toBe(0);
    expect(candidates[0]!.reasons).not.toContain('price_unknown');
  });

  it('compares by time alone where no price is known', () => {
    const [fast, slow] = [offering('m', 'f', { prices: [] }), offering('m', 's', { prices: [] })];
    const minutes = {
      [fast.offering]: [minute(5, { success: 200 }, { pace: -16 })],
      [slow.offering]: [minute(5, { success: 200 }, { pace: 16 })],
    };
    const { eligible } = decideOn(measured([fast, slow], { minutes }));
    expect(eligible.find(({ offering }) => offering === fast.offering)!.mass).toBeGreaterThan(
      0.9 * MASS_TOTAL,
    );
  });

  it('tries a newcomer, since it may be the best', () => {
    const minutes = { [b.offering]: [minute(5, { success: 500, error: 5 })] };
    const newcomer = offering('m', 'n', { input: 1_500_000_000, output: 6_000_000_000 });
    const { eligible } = decideOn(measured([b, newcomer], { minutes }));
    const mass = eligible.find(({ offering }) => offering === newcomer.offering)!.mass;
    expect(mass / MASS_TOTAL).toBeGreaterThan(0.1);
    expect(mass / MASS_TOTAL).toBeLessThan(0.9);
  });

  it('keeps a larger floor for one that would be the best if it recovered', () => {
    const rows = (key: string) => ({ [key]: [minute(5, { success: 400, error: 4 })] });
    const snapshot = measured([a, b], {
      minutes: { ...rows(a.offering), ...rows(b.offering) },
      ticks: {
        [a.offering]: [8, 9].map((age) => tick(age, { timeout: 20, success: 20 })),
        [b.offering]: [tick(0, { success: 30 })],
      },
    });
    const { eligible } = decideOn(snapshot);
    const mass = eligible.find(({ offering }) => offering === a.offering)!.mass;
    expect(mass).toBeGreaterThan(0.005 * MASS_TOTAL);
    expect(mass).toBeLessThan(0.1 * MASS_TOTAL);
  });

  it('counts calls that hang as failures before they end', () => {
    const minutes = Object.fromEntries(
      [a, b].map((it) => [it.offering, [minute(5, { success: 200, error: 2 })]]),
    );
    const snapshot = measured([a, b], { minutes });
    const hung = {
      ...snapshot,
      health: {
        ...snapshot.health!,
        inflight: new Map([[a.offering, { in_flight: 100, overdue: 40, oldest_ms: 60_000 }]]),
      },
    };
    const share = (of: typeof snapshot): number =>
      (decideOn(of).eligible.find(({ offering }) => offering === a.offering)?.mass ?? 0) /
      MASS_TOTAL;
    expect(share(snapshot)).toBeGreaterThan(0.8);
    expect(share(hung)).toBeLessThan(0.1);
  });

  it('keeps a busy one of which a few calls hang, as a few of its calls always do', () => {
    const ticks = ages(0, 24).map((age) => tick(age, { success: 20 }, { pace: 0 }));
    const slower = ages(0, 24).map((age) => tick(age, { success: 20 }, { pace: 12 }));
    const snapshot = measured([a, b], { ticks: { [a.offering]: ticks, [b.offering]: slower } });
    const gauge = { in_flight: 7, overdue: 4, oldest_ms: 50_000, started: [20, 20, 20] };
    const hung = {
      ...snapshot,
      health: { ...snapshot.health!, inflight: new Map([[a.offering, gauge]]) },
    };
    const { eligible } = decideOn(hung);
    const mass = eligible.find(({ offering }) => offering === a.offering)!.mass;
    expect(mass).toBeGreaterThan(0.9 * MASS_TOTAL);
  });

  it('tries one more often that was fast once, though it is slow by all that is known', () => {
    const usual = ages(0, 24).map((age) => tick(age, { success: 20 }, { pace: 0 }));
    const slow = ages(4, 24).map((age) => tick(age, { success: 1 }, { pace: 8 }));
    const massAfter = (pace: number): number => {
      const newest = tick(1, { success: 1 }, { pace });
      const ticks = { [a.offering]: usual, [b.offering]: [newest, ...slow] };
      const { eligible } = decideOn(measured([a, b], { ticks }));
      return eligible.find(({ offering }) => offering === b.offering)!.mass / MASS_TOTAL;
    };
    expect(massAfter(8)).toBeLessThan(0.002);
    expect(massAfter(-16)).toBeGreaterThan(0.004);
    expect(massAfter(-16)).toBeLessThanOrEqual(0.1);
  });
});
