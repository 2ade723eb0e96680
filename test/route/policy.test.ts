import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decisionRecord } from '../../src/route/decision-record.js';
import { MASS_TOTAL } from '../../src/route/masses.js';
import { makePolicy, type PolicyDocument } from '../../src/route/policy.js';
import { hashedStickyKey } from '../../src/route/sticky-key.js';
import { AS_OF, measured, offering, request, tick } from './fixtures.js';

import { A, type Asked, B, OFFERINGS, order, World, world } from './policy-world.js';

describe('a policy', () => {
  it('decides strategy, models, order, weights, tiers, targets and limits', () => {
    const offerings = [...OFFERINGS, offering('n', 'a')];
    const of = (rest: Omit<PolicyDocument, 'name'>, asked: Asked = {}) =>
      new World([{ name: 'p', ...rest }], offerings).ask(asked);
    expect(of({ strategy: 'cost_optimized' }).strategy).toBe('cost_optimized');
    expect(of({ strategy: 'cost_optimized' }, { strategy: 'auto' }).strategy).toBe(
      'cost_optimized',
    );
    expect(of({}, { strategy: 'pareto' }).strategy).toBe('pareto');
    expect(of({ provider: { sort: 'price' } }, { strategy: 'auto' }).strategy).toBe(
      'cost_optimized',
    );
    expect(of({ models: ['n'] }).candidates.map(({ model }) => model)).toEqual(['n']);
    expect(order(of({ provider: { order: ['d', 'c'] } })).slice(0, 2)).toEqual(['d', 'c']);
    expect(order(of({ targets: ['c', A.offering] })).sort()).toEqual(['a', 'c']);
    expect(order(of({ except: ['c', A.offering] })).sort()).toEqual(['b', 'd']);
    expect(
      order(of({ provider: { only: ['a', 'b'] } }, { provider: { only: ['b', 'c'] } })),
    ).toEqual(['b']);
    const tiers = [['d'], ['b', A.offering]];
    expect(order(of({ strategy: 'cost_optimized', tiers }))).toEqual(['d', 'a', 'b', 'c']);
    const weighted = of({ strategy: 'weighted_round_robin', weights: { a: 3, b: 1, c: 0, d: 0 } });
    expect(weighted.eligible.map(({ mass }) => mass / MASS_TOTAL)).toEqual([0.75, 0.25]);
    expect(weighted.excluded.map(({ reason }) => reason)).toEqual(['draining', 'draining']);
  });

  it('says who was left out by its targets', () => {
    expect(world({ targets: ['a'] }).ask().excluded[0]).toEqual({
      offering: B.offering,
      reason: 'not_a_target',
    });
  });

  it('gives the weight of an offering precedence over that of its provider', () => {
    const weights = { a: 1, [A.offering]: 3, b: 1, c: 0, d: 0 };
    const { eligible } = world({ strategy: 'weighted_round_robin', weights }).ask();
    expect(eligible.map(({ mass }) => mass / MASS_TOTAL)).toEqual([0.75, 0.25]);
  });

  it('goes to the next tier only when a tier is empty', () => {
    const failing = { ticks: { [A.offering]: [tick(0, { error: 20 })] } };
    const document = { name: 'p', tiers: [['a'], ['b']] };
    const share = (it: World, index: number) => it.ask().eligible[index]!.mass / MASS_TOTAL;
    expect(share(new World([document]), 0)).toBe(1);
    expect(order(new World([document], OFFERINGS, failing).ask())[0]).toBe('b');
  });

  it('is chosen by name, by tenant, or for all', () => {
    const named = (name: string, default_for: string[]) => ({ name, default_for, targets: ['a'] });
    const it_ = new World([named('p', []), named('q', ['acme']), named('r', ['*'])]);
    const policyOf = (asked: Asked) => it_.ask(asked).policy;
    const unnamed = { policy: undefined } as unknown as Asked;
    expect(policyOf({})).toBe('p');
    expect(policyOf({ ...unnamed, tenant: 'acme' })).toBe('q');
    expect(policyOf({ ...unnamed, tenant: 'globex' })).toBe('r');
    expect(new World([named('p', [])]).ask(unnamed).policy).toBe('');
    expect(() => it_.ask({ policy: 'x' })).toThrow('policy must be the name of a policy');
    expect(() => it_.ask({ policy: 'constructor' })).toThrow('the name of a policy');
  });

  it('says other things of a tenant that it names', () => {
    const it_ = world({ targets: ['a'], tenants: { acme: { targets: ['b'] } } });
    expect(it_.first({ tenant: 'acme' })).toBe('b');
    expect(it_.first({ tenant: 'globex' })).toBe('a');
    expect(it_.first({ tenant: '__proto__' })).toBe('a');
  });

  it('is named with its hash, in the answer and in the record of the decision', () => {
    const policy = makePolicy({ targets: ['a'], name: 'p' });
    expect(policy.hash).toBe(makePolicy({ name: 'p', targets: ['a'] }).hash);
    expect(policy.hash).toBe(
      createHash('sha256').update('{"name":"p","targets":["a"]}').digest('hex'),
    );
    const decided = world({ targets: ['a'] }).ask({ sticky_key: 'user@example.com' });
    expect(decided).toMatchObject({ policy: 'p', policyHash: policy.hash, variant: '' });
    const record = decisionRecord(decided, {
      snapshot: measured(OFFERINGS),
      decidedAtMs: AS_OF * 1000,
      tenant: '',
      request: request({ policy: 'p', sticky_key: 'user@example.com' }),
    });
    expect(record).toMatchObject({ policy: 'p', policy_hash: policy.hash });
    expect(record.request).toContain(hashedStickyKey('user@example.com'));
    expect(JSON.stringify(record)).not.toContain('example.com');
  });

  it('I8 changes nothing where none is in force', () => {
    const others = [{ name: 'q', default_for: ['acme'], targets: ['d'] }];
    const unnamed = { policy: undefined } as unknown as Asked;
    for (let index = 0; index < 50; index++) {
      expect(new World(others).ask({ ...unnamed, index })).toEqual(
        new World([]).ask({ ...unnamed, index }),
      );
    }
  });
});
