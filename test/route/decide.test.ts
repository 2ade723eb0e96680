import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelsValueOffering } from '../../src/hotkeys/values.js';
import { Board } from '../../src/route/board.js';
import { decide } from '../../src/route/decide.js';
import { MASS_TOTAL } from '../../src/route/masses.js';
import { planOf } from '../../src/route/plan.js';
import type { RouteRequest } from '../../src/route/request.js';
import type { Snapshot } from '../../src/route/snapshot.js';
import { STRATEGIES } from '../../src/route/strategies/registry.js';
import {
  AS_OF,
  catalogue,
  decideOn,
  decisionId,
  measured,
  minute,
  offering,
  request,
  snapshotOf,
  tick,
} from './fixtures.js';

const NAMES = [...STRATEGIES.keys()].filter((name) => name !== 'specified_provider');

/** Masses at the ranks after the first, where one model is asked for. */
function laterMasses(snapshot: Snapshot, asked: Partial<RouteRequest>): Map<string, number> {
  const plan = planOf(new Board(snapshot, AS_OF, false), request(asked));
  const [tier] = plan.variants[0]!.tiers;
  return new Map(tier!.candidates.map(({ key }, i) => [key, tier!.laterMasses[i]!]));
}

/** Offerings of all sorts, with traffic of all sorts. */
const world = fc
  .uniqueArray(
    fc.record({
      provider: fc.constantFrom('a', 'b', 'c', 'd'),
      deployment: fc.constantFrom('', '1', '2'),
      region: fc.constantFrom('', 'eu'),
      weight: fc.integer({ min: 0, max: 5 }),
      priority: fc.integer({ min: 0, max: 2 }),
      enabled: fc.boolean(),
      input: fc.option(fc.integer({ min: 0, max: 10_000_000_000 })),
      success: fc.integer({ min: 0, max: 40 }),
      error: fc.integer({ min: 0, max: 40 }),
      pace: fc.integer({ min: -20, max: 20 }),
    }),
    {
      minLength: 1,
      maxLength: 12,
      selector: (it) => `${it.provider}|${it.deployment}|${it.region}`,
    },
  )
  .map((list) => {
    const offerings = list.map(({ success, error, pace, provider, ...fields }) =>
      offering('m', provider, fields),
    );
    const rows = list.map(({ success, error, pace }, i): [string, (typeof list)[number]] => [
      offerings[i]!.offering,
      { ...list[i]!, success, error, pace },
    ]);
    return {
      offerings,
      snapshot: measured(offerings, {
        ticks: Object.fromEntries(
          rows.map(([key, { success, error, pace }]) => [
            key,
            [tick(1, { success, error }, { pace })],
          ]),
        ),
        minutes: Object.fromEntries(
          rows.map(([key, { success, pace }]) => [key, [minute(5, { success }, { pace })]]),
        ),
      }),
    };
  });

const isAllowed = ({ enabled, weight }: ModelsValueOffering) => enabled && weight > 0;

describe('decide', () => {
  it('I8 gives the same bytes for the same inputs', () => {
    fc.assert(
      fc.property(world, fc.constantFrom(...NAMES), fc.nat(), (it, strategy, index) => {
        fc.pre(it.offerings.some(isAllowed));
        const once = JSON.stringify(decideOn(it.snapshot, { strategy, limit: 12 }, index));
        expect(JSON.stringify(decideOn(it.snapshot, { strategy, limit: 12 }, index))).toBe(once);
      }),
    );
  });

  it('I8 answers the same from a board that has answered others before', () => {
    fc.assert(
      fc.property(world, fc.constantFrom(...NAMES), (it, strategy) => {
        fc.pre(it.offerings.some(isAllowed));
        const board = new Board(it.snapshot, AS_OF, false);
        const ask = (other: Board, index: number, input: number) =>
          decide({
            board: other,
            decidedAtMs: AS_OF * 1000,
            staleAfterMs: 10_000,
            tenant: '',
            request: request({ strategy, estimate: { input_tokens: input } }),
            decisionId: decisionId(index),
          });
        for (let i = 0; i < 20; i++) ask(board, i, i * 1000);
        expect(ask(board, 5, 777)).toEqual(ask(new Board(it.snapshot, AS_OF, false), 5, 777));
      }),
      { numRuns: 30 },
    );
  });

  it('I8 names every offering of the model once: as eligible or as excluded', () => {
    fc.assert(
      fc.property(world, fc.constantFrom(...NAMES), fc.nat(), (it, strategy, index) => {
        fc.pre(it.offerings.some(isAllowed));
        const decided = decideOn(it.snapshot, { strategy, limit: 12 }, index);
        const eligible = decided.eligible.map((entry) => entry.offering);
        const excluded = decided.excluded.map((entry) => entry.offering);
        const slate = decided.candidates.map((entry) => entry.offering);
        expect([...eligible, ...excluded].sort()).toEqual(
          it.offerings.map((entry) => entry.offering).sort(),
        );
        expect(new Set(slate).size).toBe(slate.length);
        expect(slate.every((key) => eligible.includes(key))).toBe(true);
        for (const entry of it.offerings) {
          if (!isAllowed(entry)) expect(excluded).toContain(entry.offering);
        }
      }),
    );
  });

  it('I8 has integer masses that sum to 2^20, and rank 0 has its own as propensity', () => {
    fc.assert(
      fc.property(world, fc.constantFrom(...NAMES), fc.nat(), (it, strategy, index) => {
        fc.pre(it.offerings.some(isAllowed));
        const { eligible, candidates } = decideOn(it.snapshot, { strategy }, index);
        expect(eligible.reduce((sum, { mass }) => sum + mass, 0)).toBe(MASS_TOTAL);
        expect(eligible.every(({ mass }) => Number.isInteger(mass) && mass >= 0)).toBe(true);
        const first = eligible.find((entry) => entry.offering === candidates[0]!.offering)!;
        expect(candidates[0]!.propensity).toBe(first.mass / MASS_TOTAL);
        expect(first.mass).toBeGreaterThan(0);
      }),
    );
  });

  it('I8 ranks without replacement: its mass at that rank / what remains of them', () => {
    fc.assert(
      fc.property(world, fc.nat(), (it, index) => {
        fc.pre(it.offerings.some(isAllowed));
        const asked = { strategy: 'auto', limit: 12 };
        const { eligible, candidates } = decideOn(it.snapshot, asked, index);
        const first = new Map(eligible.map((entry) => [entry.offering, entry.mass]));
        const later = laterMasses(it.snapshot, asked);
        let remaining = MASS_TOTAL;
        candidates.forEach(({ offering, propensity }, rank) => {
          const mass = rank === 0 ? first.get(offering)! : later.get(offering)!;
          expect(propensity).toBe(mass / remaining);
          remaining = rank === 0 ? MASS_TOTAL - later.get(offering)! : remaining - mass;
        });
        expect(candidates).toHaveLength(eligible.length);
        expect(remaining).toBe(0);
      }),
    );
  });

  it('keeps every eligible offering of auto at its floor or above', () => {
    fc.assert(
      fc.property(world, (it) => {
        fc.pre(it.offerings.some(isAllowed));
        const { eligible } = decideOn(it.snapshot, { strategy: 'auto' });
        const floor = Math.min(209, Math.floor(MASS_TOTAL / (2 * eligible.length)));
        expect(Math.min(...eligible.map(({ mass }) => mass))).toBeGreaterThanOrEqual(floor);
      }),
    );
  });

  it.each([
    ['auto', 1_000_000],
    ['weighted_round_robin', 200_000],
  ])(
    'I8 %s: shares over %d units match the masses',
    (strategy, units) => {
      const offerings = ['a', 'b', 'c', 'd', 'e'].map((provider, i) =>
        offering('m', provider, { weight: i + 1, input: 1_000_000_000 + i * 30_000_000 }),
      );
      const board = new Board(measured(offerings), AS_OF, false);
      const first = new Map<string, number>();
      const second = new Map<string, number>();
      const asked = request({ strategy, limit: 2 });
      let decided = null;
      for (let i = 0; i < units; i++) {
        decided = decide({
          board,
          decidedAtMs: AS_OF * 1000,
          staleAfterMs: 10_000,
          tenant: '',
          request: asked,
          decisionId: decisionId(i),
        });
        const [one, two] = decided.candidates;
        first.set(one!.offering, (first.get(one!.offering) ?? 0) + 1);
        const pair = `${one!.offering} ${two!.offering}`;
        second.set(pair, (second.get(pair) ?? 0) + 1);
      }
      const shares = new Map(
        decided!.eligible.map((entry) => [entry.offering, entry.mass / MASS_TOTAL]),
      );
      // Six standard errors of a binomial share: a chance of 2e-9 for each of the 25 comparisons.
      const within = (count: number, share: number): void =>
        expect(Math.abs(count - units * share)).toBeLessThan(
          6 * Math.sqrt(units * share * (1 - share)),
        );
      for (const [key, share] of shares) within(first.get(key) ?? 0, share);
      const later = laterMasses(board.snapshot, asked);
      for (const [one, share] of shares) {
        const left = MASS_TOTAL - later.get(one)!;
        for (const two of shares.keys()) {
          if (one === two) continue;
          within(second.get(`${one} ${two}`) ?? 0, (share * later.get(two)!) / left);
        }
      }
    },
    60_000,
  );

  it('takes all as closed where all are open, and says so', () => {
    const offerings = [offering('m', 'a'), offering('m', 'b')];
    const failing = Object.fromEntries(
      offerings.map((it) => [it.offering, [tick(0, { error: 20 })]]),
    );
    const decided = decideOn(measured(offerings, { ticks: failing }));
    expect(decided.degraded).toEqual(['all_open']);
    expect(decided.candidates).toHaveLength(2);
    expect(decided.candidates.every(({ reasons }) => reasons.includes('fail_open'))).toBe(true);
  });

  it('leaves an open one out, and lets one on probation have its share at most', () => {
    const [a, b] = [offering('m', 'a', { input: 0, output: 0 }), offering('m', 'b')];
    const at = (age: number) =>
      measured([a, b], { ticks: { [a.offering]: [tick(age, { error: 8 })] } });
    expect(decideOn(at(0)).excluded).toEqual([{ offering: a.offering, reason: 'open_failures' }]);
    // Those that put it first, or give each a share.
    for (const strategy of ['auto', 'weighted_round_robin', 'cost_optimized']) {
      const { eligible } = decideOn(at(5), { strategy });
      const mass = eligible.find((entry) => entry.offering === a.offering)!.mass;
      expect(mass).toBeLessThanOrEqual(41_943);
      expect(mass).toBeGreaterThan(0);
    }
  });

  it('explores where the first one is behind the best by its score, not where it is its equal', () => {
    const exploredOn = (snapshot: Parameters<typeof decideOn>[0]) =>
      Array.from({ length: 300 }, (_, index) => decideOn(snapshot, {}, index)).filter(
        ({ explored, candidates }) => {
          expect(candidates[0]!.reasons.includes('explored')).toBe(explored);
          return explored;
        },
      );
    const equals = [offering('m', 'a'), offering('m', 'b'), offering('m', 'c')];
    expect(exploredOn(measured(equals))).toEqual([]);

    const [best, dear] = [offering('m', 'a'), offering('m', 'b', { output: 8_000_000_000 })];
    const explored = exploredOn(measured([best, dear]));
    expect(explored.length).toBeGreaterThan(0);
    expect(new Set(explored.map(({ candidates }) => candidates[0]!.offering))).toEqual(
      new Set([dear.offering]),
    );
  });

  it('says that nothing was measured, and how old the state is', () => {
    const snapshot = measured([offering('m', 'a')]);
    const decided = decide({
      board: new Board(snapshot, AS_OF + 11, false),
      decidedAtMs: AS_OF * 1000 + 11_000,
      staleAfterMs: 10_000,
      tenant: '',
      request: request({}),
      decisionId: decisionId(1),
    });
    expect(decided.degraded).toEqual(['stale', 'no_metrics']);
    expect(decided.ageMs).toBe(11_000);
    expect(decided.candidates[0]!.reasons).toContain('no_data');
  });

  it('prefers the first of `models`, and draws from all of `model_set`', () => {
    const offerings = [offering('m', 'a'), offering('n', 'a'), offering('n', 'b')];
    const snapshot = measured(offerings);
    const preferred = decideOn(snapshot, { models: ['m', 'n'] }, 3);
    expect(preferred.candidates.map(({ model }) => model)).toEqual(['m', 'n', 'n']);
    expect(preferred.candidates[0]!.propensity).toBe(1);
    const set = new Set(
      Array.from(
        { length: 200 },
        (_, i) => decideOn(snapshot, { model_set: ['m', 'n'] }, i).candidates[0]!.model,
      ),
    );
    expect([...set].sort()).toEqual(['m', 'n']);
  });

  it('follows an alias', () => {
    const models = catalogue([offering('m', 'a')], { aliases: { latest: 'm' } });
    const decided = decideOn(snapshotOf({ models }), { model: 'latest' });
    expect(decided.candidates[0]!.model).toBe('m');
  });

  it('I8 answers what was tried from the same board', () => {
    const board = new Board(measured([offering('m', 'a'), offering('m', 'b')]), AS_OF, false);
    const providers = (tried: string[]) =>
      decide({
        board,
        decidedAtMs: AS_OF * 1000,
        staleAfterMs: 10_000,
        tenant: '',
        request: request({ tried }),
        decisionId: decisionId(1),
      }).candidates.map(({ provider }) => provider);
    expect(providers([]).sort()).toEqual(['a', 'b']);
    expect(providers(['m|a||'])).toEqual(['b']);
    expect(providers(['m|b||'])).toEqual(['a']);
  });

  it('judges by first attempts, by later ones only where those are too few', () => {
    const a = offering('m', 'a');
    const ratio = (first: number): number => {
      const rows = [
        minute(5, { success: first }),
        minute(5, { error: 50 }, { fallback: true }),
        minute(5, { success: 50 }),
      ].slice(0, first === 0 ? 2 : 3);
      return decideOn(measured([a], { minutes: { [a.offering]: rows } })).candidates[0]!.expected
        .success_ratio;
    };
    expect(ratio(1)).toBeGreaterThan(0.95);
    expect(ratio(0)).toBeLessThan(0.5);
  });

  it('never mixes streamed and whole answers', () => {
    const a = offering('m', 'a');
    const slow = [minute(5, { success: 50 }, { pace: 24, stream: true })];
    const snapshot = measured([a], { minutes: { [a.offering]: slow } });
    const whole = decideOn(snapshot, { stream: false }).candidates[0]!;
    const streamed = decideOn(snapshot, { stream: true }).candidates[0]!;
    expect(whole.reasons).toContain('no_data');
    expect(streamed.expected.duration_ms_p50).toBeGreaterThan(4 * whole.expected.duration_ms_p50);
  });
});
