import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestOutcome } from '../../src/event/outcome.js';
import {
  brokenRule,
  brokenRuleOfCatalogue,
  brokenRuleOfDecision,
  brokenRuleOfInflight,
  brokenRuleOfOutcome,
  brokenRuleOfSummary,
} from '../../src/event/rules.js';
import { inflight, outcome, records, summary } from './arbitraries.js';

const example: RequestOutcome = {
  ...fc.sample(outcome, { numRuns: 1, seed: 3 })[0]!,
  decision: { decision_id: Buffer.alloc(16), rank: 0, propensity: 0.5 },
};

describe('a fact that holds its rules', () => {
  it('is let through, whatever it is', () => {
    const assertHolds = <T>(facts: fc.Arbitrary<T>, broken: (fact: T) => unknown) =>
      fc.assert(fc.property(facts, (fact) => void expect(broken(fact)).toBeNull()));
    assertHolds(outcome, brokenRule);
    assertHolds(outcome, brokenRuleOfOutcome);
    assertHolds(inflight, brokenRuleOfInflight);
    assertHolds(summary, brokenRuleOfSummary);
    assertHolds(records.Decision, brokenRuleOfDecision);
    assertHolds(records.CatalogueModel, (value) =>
      brokenRuleOfCatalogue({ type: 'CatalogueModel', value }),
    );
    assertHolds(records.CatalogueProvider, (value) =>
      brokenRuleOfCatalogue({ type: 'CatalogueProvider', value }),
    );
    assertHolds(records.CatalogueOffering, (value) =>
      brokenRuleOfCatalogue({ type: 'CatalogueOffering', value }),
    );
    assertHolds(records.CatalogueAlias, (value) =>
      brokenRuleOfCatalogue({ type: 'CatalogueAlias', value }),
    );
    assertHolds(records.CataloguePrice, (value) =>
      brokenRuleOfCatalogue({ type: 'CataloguePrice', value }),
    );
    assertHolds(records.Policy, (value) => brokenRuleOfCatalogue({ type: 'Policy', value }));
  });
});

const TEXTS = {
  model: 256,
  provider: 64,
  tenant: 128,
  region: 64,
  deployment: 256,
  error_type: 64,
};

describe('an outcome', () => {
  it.each(Object.entries(TEXTS))('has a %s of at most %d UTF-16 units', (field, max) => {
    expectHeld({ [field]: 'x'.repeat(max) });
    expectHeld({ [field]: '😀'.repeat(max / 2) });
    expectBroken(field, 'x'.repeat(max + 1));
    expectBroken(field, 'x'.repeat(1_000_000));
  });

  it.each(Object.keys(TEXTS))('has no NUL, lone surrogate or U+FFFD in its %s', (field) => {
    for (const text of ['a\0', '\ud800', 'a\udc00b', '\udc00\ud800', '😀\ud83d', 'a\ufffd']) {
      expectBroken(field, text);
    }
  });

  it('names a model and a provider', () => {
    expectBroken('model', '');
    expectBroken('provider', '');
    expectHeld({ tenant: '', region: '', deployment: '', error_type: '' });
  });

  it.each([
    ['occurred_at', 0, 253_402_300_799_999],
    ['attempt', 0, 1000],
    ['http_status', 100, 599],
    ['duration_ms', 0, 2 ** 31 - 1],
    ['ttft_ms', 0, 2 ** 31 - 1],
    ['retry_after_ms', 0, 2 ** 31 - 1],
    ['ratelimit_remaining', 0, 2 ** 31 - 1],
    ['input_tokens', 0, 2 ** 53 - 2],
    ['output_tokens', 0, 2 ** 53 - 2],
    ['cached_input_tokens', 0, 2 ** 53 - 2],
    ['cache_write_tokens', 0, 2 ** 53 - 2],
    ['reasoning_tokens', 0, 2 ** 53 - 2],
    ['cost_nano_usd', 0, 2 ** 53 - 2],
  ])('has a %s of %d..%d', (field, min, max) => {
    expectHeld({ [field]: min });
    expectHeld({ [field]: max });
    for (const wrong of [min - 1, max + 1, 0.5, Number.NaN, Infinity, '1', true]) {
      expectBroken(field, wrong);
    }
  });

  it('may have more cached than input tokens: who subtracts stops at 0', () => {
    expectHeld({ input_tokens: 1, cached_input_tokens: 2 });
  });
});

describe('an outcome that is made here', () => {
  it.each<[string, unknown]>([
    ['event_id', Buffer.alloc(15)],
    ['event_id', '017f22e2-79b0-7cc3-98c4-dc0c0c07398f'],
    ['status', 'toString'],
    ['operation', 'constructor'],
    ['stream', 1],
    ['final', 'yes'],
    ['hedged', null],
    ['request_id', 'x'.repeat(129)],
    ['requested_model', 'x'.repeat(257)],
    ['decision', undefined],
    ['decision', 5],
  ])('breaks the rule of %s by %j', (field, value) => {
    expect(brokenRuleOfOutcome({ ...example, [field]: value })).toEqual({
      field,
      rule: expect.any(String),
    });
  });

  it.each<[string, unknown]>([
    ['decision_id', Buffer.alloc(17)],
    ['rank', -1],
    ['rank', null],
    ['propensity', Number.NaN],
    ['propensity', 1.01],
    ['propensity', -0.01],
    ['propensity', Infinity],
  ])('breaks the rule of its decision’s %s by %s', (field, value) => {
    const decision = { ...example.decision, [field]: value } as RequestOutcome['decision'];
    expect(brokenRuleOfOutcome({ ...example, decision })).toMatchObject({
      field: `decision.${field}`,
    });
  });
});

describe('other records', () => {
  it.each(['', '|||', 'm|p|d', '|p||', 'm|||', `${'x'.repeat(257)}|p||`, 'm|p|%00|'])(
    'a gauge of %j is refused: no offering has this key text',
    (offering) => {
      const gauge = fc.sample(inflight, { numRuns: 1, seed: 1 })[0]!;
      expect(brokenRuleOfInflight({ ...gauge, offering })).toMatchObject({ field: 'offering' });
    },
  );

  it.each([
    ['not ascending', [0, 200_000, 128_000]],
    ['twice the same', [0, 0]],
    ['without a base', [128_000]],
    ['too many', Array.from({ length: 17 }, (_, i) => i)],
  ])('tiers that are %s are refused', (_name, above) => {
    const prices = { input: 1, cached_input: 1, cache_write: 1, output: 1, request: null };
    const tiers = above.map((above_input_tokens) => ({ above_input_tokens, ...prices }));
    const value = { ...fc.sample(records.CataloguePrice, 1)[0]!, tiers };
    expect(brokenRuleOfCatalogue({ type: 'CataloguePrice', value })).toMatchObject({
      field: 'tiers',
    });
  });

  it('a decision whose masses do not sum to 2^20, or whose request is over 2 KiB, is refused', () => {
    const decision = fc.sample(records.Decision, { numRuns: 1, seed: 2 })[0]!;
    const eligible = [{ offering: 'm|p||', mass: 2 ** 20 - 1 }];
    expect(brokenRuleOfDecision({ ...decision, eligible })).toMatchObject({ field: 'eligible' });
    const request = 'é'.repeat(1025);
    expect(brokenRuleOfDecision({ ...decision, request })).toMatchObject({ field: 'request' });
  });

  it('a summary of a negative number of requests is refused', () => {
    const value = fc.sample(summary, { numRuns: 1, seed: 2 })[0]!;
    expect(brokenRuleOfSummary({ ...value, total_requests: -1 })).toMatchObject({
      field: 'total_requests',
    });
  });
});

function expectHeld(change: object): void {
  expect(brokenRule({ ...example, ...change })).toBeNull();
}

function expectBroken(field: string, value: unknown): void {
  const broken = { ...example, [field]: value } as RequestOutcome;
  expect(brokenRule(broken)).toEqual({ field, rule: expect.any(String) });
}
