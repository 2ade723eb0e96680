import { describe, expect, it } from 'vitest';
import type { Caller } from '../../src/access/caller.js';
import { localAccess } from '../../src/access/local-access.js';
import type { Decision } from '../../src/event/outcome.js';
import { formatUuid } from '../../src/event/uuid.js';
import { EXCLUSIONS } from '../../src/route/reasons.js';
import { STRATEGIES } from '../../src/route/strategies/registry.js';
import { AS_OF, catalogue, health, hotState, measured, minute, tick, view } from './fixtures.js';
import { a, appOf, b, model, post, snapshot } from './route-app.js';

const explain = (payload: object) => ({ method: 'POST', url: '/v1/explain', payload }) as const;
const hotView = view({
  models: catalogue([a, b]),
  health: health({ ticks: { [a.offering]: [tick(0, { success: 5 })] } }),
  [`metrics:${a.offering}`]: {
    offering: a.offering,
    minutes: [minute(5, { success: 99, error: 1 })],
    latency: [],
  },
});
const withoutAge = (body: string) => body.replace(/"age_ms":\d+\}/, '}');

describe('explain: true', () => {
  it('names the score, its terms and what they rest on, and changes no decision', async () => {
    const decisions: Decision[] = [];
    const { app } = appOf(snapshot, { onDecision: (it) => decisions.push(it) });
    const answer = (await app.inject(post({ model, explain: true }))).json();
    const { explain: why, ...decision } = answer;
    expect(why).toMatchObject({ strategy: 'auto', variants: [{ name: '', mass: 2 ** 20 }] });
    expect(why.candidates.map((it: { offering: string }) => it.offering)).toEqual([
      b.offering,
      a.offering,
    ]);
    const [unmeasured, known] = why.candidates;
    expect(known).toMatchObject({
      tier: 0,
      order: 'drawn',
      changed: false,
      alternative: null,
      window_ms: 1_800_000,
      age_ms: 0,
      breaker: { state: 'closed', share: 1, reason: null },
    });
    expect(known.samples).toBeGreaterThan(0);
    expect(unmeasured).toMatchObject({ samples: 0, age_ms: null });
    const sum = why.candidates.reduce((all: number, it: { mass: number }) => all + it.mass, 0);
    expect(sum).toBe(2 ** 20);
    const score = decision.candidates.find(
      (it: { offering: string }) => it.offering === a.offering,
    );
    if (score !== undefined) expect(known.score).toBe(score.score);
    expect(known.terms.length).toBeGreaterThan(1);
    expect(decisions[0]!.request).not.toContain('explain');
  });

  it('says how much longer than the reference a size takes', async () => {
    // Pace 12 where generating takes 10 of 64, -12 where it takes 55.
    const row = {
      ...minute(5, { success: 200 }),
      pace: [200, 0, 200 * 144] as const,
      generation: [6_500, 312_500, 100 * 12 * (10 - 55)] as const,
    };
    const { app } = appOf(measured([a, b], { minutes: { [a.offering]: [row] } }));
    const ratios = async (output: number): Promise<Map<string, number>> => {
      const estimate = { input_tokens: 1_000, output_tokens: output };
      const { explain: why } = (await app.inject(post({ model, explain: true, estimate }))).json();
      return new Map(
        why.candidates.map((it: { offering: string; size_time_ratio: number }) => [
          it.offering,
          it.size_time_ratio,
        ]),
      );
    };
    expect((await ratios(5)).get(a.offering)).toBeGreaterThan(2);
    expect((await ratios(2_000)).get(a.offering)).toBeLessThan(0.8);
    expect((await ratios(5)).get(b.offering)).toBe(1);
  });

  it('says what may be instead of a change that was seen, and how likely it is', async () => {
    const ages = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => from + i);
    const ticks = [
      tick(1, { success: 1 }),
      ...ages(4, 10).map((age) => tick(age, { error: 4, success: 1 })),
      ...ages(10, 24).map((age) => tick(age, { success: 20 })),
    ];
    const ill = measured([a, b], { ticks: { [a.offering]: ticks } });
    const answer = await appOf(ill).app.inject(post({ model, explain: true }));
    const { candidates, excluded } = answer.json().explain;
    const known = [...candidates, ...excluded].find(({ offering }) => offering === a.offering);
    expect(known.changed).toBe(true);
    expect(known.alternative.probability).toBeGreaterThan(0.1);
    expect(known.alternative.probability).toBeLessThan(0.5);
    expect(known.alternative.success_ratio).toBeGreaterThan(0.9);
    expect(known.alternative.time_ratio).toBeCloseTo(1, 0);
  });

  it.each([...STRATEGIES.keys()])('%s names the terms of each score', async (strategy) => {
    const provider = strategy === 'specified_provider' ? { only: ['openai'] } : {};
    const answer = await appOf().app.inject(post({ model, strategy, provider, explain: true }));
    const { candidates } = answer.json().explain;
    for (const { terms } of candidates) {
      expect(terms.length).toBeGreaterThan(0);
      for (const term of terms) expect(Object.keys(term)).toEqual(['name', 'value', 'unit']);
    }
  });

  it('says why an offering was excluded, in words', async () => {
    const body = { model, tried: [b.offering], explain: true };
    const { excluded } = (await appOf().app.inject(post(body))).json().explain;
    expect(excluded).toEqual([
      {
        offering: b.offering,
        reason: 'tried',
        meaning: EXCLUSIONS.tried,
        samples: 0,
        window_ms: 1_800_000,
        changed: false,
        alternative: null,
        age_ms: null,
        breaker: { state: 'closed', share: 1, reason: null },
      },
    ]);
  });
});

describe('a request with a seed', () => {
  it('is a preview: no id, no record, the same for the same seed', async () => {
    const decisions: Decision[] = [];
    const { app } = appOf(snapshot, { onDecision: (it) => decisions.push(it) });
    const ask = async (seed: string) => (await app.inject(post({ model, seed }))).body;
    expect(await ask('1')).toBe(await ask('1'));
    expect(JSON.parse(await ask('1')).decision_id).toBeNull();
    const first = async (seed: string) => JSON.parse(await ask(seed)).candidates[0].offering;
    const firsts = await Promise.all(Array.from({ length: 200 }, (_, i) => first(`s${i}`)));
    expect(new Set(firsts).size).toBe(2);
    expect(decisions).toEqual([]);
  });

  it('needs the scope analyst', async () => {
    const caller: Caller = {
      keyId: 'k',
      tenant: '',
      namesTenants: false,
      scopes: new Set(['route']),
    };
    const access = { ...localAccess, callerOf: () => caller };
    const { app } = appOf(snapshot, { access });
    const answer = await app.inject(post({ model, seed: '1' }));
    expect(answer.statusCode).toBe(403);
    expect(answer.json()).toMatchObject({ code: 'forbidden', field: 'seed' });
    expect((await app.inject(post({ model, explain: true }))).statusCode).toBe(200);
    expect((await app.inject(explain({ request: { model } }))).statusCode).toBe(403);
  });
});

describe('POST /v1/explain', () => {
  async function decided(body: object) {
    const decisions: Decision[] = [];
    const { app } = appOf(snapshot, {
      onDecision: (it) => decisions.push(it),
      view: () => hotView,
    });
    const answer = (await app.inject(post({ model, ...body }))).json();
    const [record] = decisions;
    return { app, answer, record: { ...record!, decision_id: formatUuid(record!.decision_id) } };
  }

  it('I8 computes a decision again from its record, byte for byte', async () => {
    const { app, answer, record } = await decided({ limit: 2, provider: { ignore: ['x'] } });
    const again = (await app.inject(explain({ decision: record }))).json();
    const { explain: why, recomputed, ...decision } = again;
    expect(recomputed).toEqual({ same: true, differs: [] });
    expect(JSON.stringify(decision)).toBe(JSON.stringify(answer));
    expect(why.candidates).toHaveLength(2);
  });

  it('says in what a record is not what would be decided', async () => {
    const { app, record } = await decided({});
    const forged = { ...record, slate: [], strategy: 'pareto' };
    const { recomputed } = (await app.inject(explain({ decision: forged }))).json();
    expect(recomputed).toEqual({ same: false, differs: ['strategy', 'slate'] });
  });

  it('needs the state that the decision was made from: its own, or the one that is given', async () => {
    const { app, answer, record } = await decided({});
    const saved = (await app.inject('/v1/state')).json();
    const elsewhere = appOf(null).app;
    const gone = appOf({ ...snapshot, generation: '2-db' }).app;
    expect((await gone.inject(explain({ decision: record }))).json()).toMatchObject({
      status: 409,
      code: 'state_gone',
    });
    const given = await elsewhere.inject(explain({ decision: record, state: saved }));
    const { explain: _, recomputed, ...decision } = given.json();
    expect(recomputed).toEqual({ same: true, differs: [] });
    expect(JSON.stringify(decision)).toBe(JSON.stringify(answer));
  });

  it('previews a request without a trace', async () => {
    const { app, answer } = await decided({});
    const preview = await app.inject(explain({ request: { model, seed: 'x' } }));
    const { explain: why, recomputed, ...decision } = preview.json();
    expect(recomputed).toBeNull();
    expect(decision).toMatchObject({ decision_id: null, state: answer.state });
    const direct = await app.inject(post({ model, seed: 'x', explain: true }));
    expect(withoutAge(JSON.stringify({ ...decision, explain: why }))).toBe(withoutAge(direct.body));
    const later = { request: { model }, decided_at: (AS_OF + 60) * 1000 };
    const { state } = (await app.inject(explain(later))).json();
    expect(state.as_of).toBe((AS_OF + 60) * 1000);
  });

  it.each([
    ['neither', {}, 'body'],
    ['both', { decision: { decision_id: 'x' }, request: { model } }, 'decision.decided_at'],
    ['an unknown field', { request: { model, no_such: 1 } }, 'request.no_such'],
    ['no model', { request: {} }, 'request'],
    [
      'a broken state',
      { request: { model }, state: { generation: 'g', values: {} } },
      'state.state',
    ],
    [
      'a broken value',
      {
        request: { model },
        state: { generation: 'g', state: hotState(), values: { models: '{' } },
      },
      'state.values.models',
    ],
    [
      'a value of another shape',
      {
        request: { model },
        state: {
          generation: 'g',
          state: hotState(),
          values: {
            models: JSON.stringify(catalogue([a])),
            health: JSON.stringify({ newest_tick: 1, ticks: { [a.offering]: 5 }, inflight: {} }),
          },
        },
      },
      'state',
    ],
  ])('refuses %s, naming the field', async (_name, body, field) => {
    const answer = await appOf().app.inject(explain(body));
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ field });
  });

  it('tells a tenant of its own decisions alone, and nothing of the whole state', async () => {
    const { record } = await decided({});
    const caller: Caller = {
      keyId: 'k',
      tenant: 'acme',
      namesTenants: false,
      scopes: new Set(['analyst']),
    };
    const access = { ...localAccess, callerOf: () => caller };
    const { app } = appOf(snapshot, { access, view: () => hotView });
    expect((await app.inject(explain({ decision: record }))).statusCode).toBe(403);
    const own = { ...record, tenant: 'acme' };
    expect((await app.inject(explain({ decision: own }))).statusCode).toBe(200);
    expect((await app.inject('/v1/state')).statusCode).toBe(403);
  });
});
