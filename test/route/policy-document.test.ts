import { describe, expect, it } from 'vitest';
import { makePolicy } from '../../src/route/policy.js';

describe('the document of a policy', () => {
  const variant = { name: 'v', percent: 100 };

  it.each<[string, unknown, string, RegExp]>([
    ['nothing', null, 'policy', /object/],
    ['no name', {}, 'name', /given/],
    ['an odd name', { name: '-x' }, 'name', /^1\.\.128 letters/],
    ['an unknown field', { name: 'p', wieghts: {} }, 'wieghts', /absent/],
    ['an unknown strategy', { name: 'p', strategy: 'best' }, 'strategy', /one of auto/],
    ['a negative weight', { name: 'p', weights: { a: -1 } }, 'weights.a', />= 0/],
    ['a number as text', { name: 'p', weights: { a: '1' } }, 'weights.a', /number/],
    [
      'a negative percent',
      { name: 'p', split: { variants: [{ name: 'v', percent: -1 }] } },
      'split.variants.0.percent',
      />= 0/,
    ],
    [
      'only drained variants',
      { name: 'p', split: { variants: [{ name: 'v', percent: 0 }] } },
      'split.variants',
      /above 0/,
    ],
    [
      'too small a part',
      { name: 'p', split: { variants: [{ name: 'v', percent: 0.0001 }, variant] } },
      'split.variants.0.percent',
      /0\.001/,
    ],
    [
      'a variant twice',
      { name: 'p', split: { variants: [variant, variant] } },
      'split.variants.1.name',
      /once/,
    ],
    [
      'sticky without anything to stick to',
      { name: 'p', split: { unit: 'sticky' } },
      'split.variants',
      /given/,
    ],
    [
      'blocks without variants',
      { name: 'p', split: { unit: 'time_block' } },
      'split.variants',
      /given/,
    ],
    [
      'a TTL of decisions',
      { name: 'p', split: { ttl_s: 5, variants: [variant] } },
      'split.ttl_s',
      /sticky/,
    ],
    [
      'a split and a canary',
      { name: 'p', split: { variants: [variant] }, canary: { targets: ['a'], percent: 1 } },
      'canary',
      /absent/,
    ],
    [
      'an order and a strategy',
      { name: 'p', strategy: 'auto', provider: { sort: 'price' } },
      'provider.sort',
      /absent/,
    ],
    ['a target in two tiers', { name: 'p', tiers: [['a'], ['b', 'a']] }, 'tiers', /one tier/],
    [
      'a tenant with a broken part',
      { name: 'p', tenants: { acme: { split: { unit: 'sticky' } } } },
      'tenants.acme.split.variants',
      /given/,
    ],
    [
      'named providers without names',
      { name: 'p', strategy: 'specified_provider' },
      'provider.only',
      /given/,
    ],
  ])('%s is refused with field and rule', (_name, document, field, rule) => {
    let error: unknown;
    try {
      makePolicy(document);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'rule_broken', field });
    expect((error as { rule: string }).rule).toMatch(rule);
  });
});
