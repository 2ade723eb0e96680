import { describe, expect, it } from 'vitest';
import { catalogueSnapshot, nextSnapshot } from '../../src/route/snapshot.js';
import { createSnapshotSource } from '../../src/route/snapshot-source.js';
import { catalogue, health, minute, offering, tick, view } from './fixtures.js';

const a = offering('m', 'a');
const metricsOf = (key: string) => ({ offering: key, minutes: [minute(1, {})], latency: [] });
const values = {
  models: catalogue([a]),
  [`metrics:${a.offering}`]: metricsOf(a.offering),
  health: health({ ticks: { [a.offering]: [tick(0, { success: 1 })] } }),
};

describe('the snapshot', () => {
  it('parses only what changed', () => {
    const { snapshot: first } = nextSnapshot(null, view(values));
    const next = view(
      { ...values, models: 'not read', health: health({}) },
      { changedKeys: new Set(['health']) },
    );
    const { snapshot: second, broken } = nextSnapshot(first, next);
    expect(second.catalogue).toBe(first.catalogue);
    expect(second.metrics).toBe(first.metrics);
    expect(second.health).not.toBe(first.health);
    expect(broken.size).toBe(0);
  });

  it('is not changed by what follows it', () => {
    const { snapshot: first } = nextSnapshot(null, view(values));
    const changedKeys = new Set([`metrics:${a.offering}`]);
    const { snapshot: second } = nextSnapshot(first, view({}, { changedKeys }));
    expect(first.metrics.has(a.offering)).toBe(true);
    expect(second.metrics.has(a.offering)).toBe(false);
  });

  it('starts anew with another generation', () => {
    const { snapshot: first } = nextSnapshot(null, view(values));
    const next = view({ providers: { providers: [] } }, { generation: '2-db' });
    const { snapshot: second } = nextSnapshot(first, next);
    expect(second.catalogue.offerings.size).toBe(0);
    expect(second.health).toBeNull();
  });

  it('keeps the last value of a key that is not readable, and names it', () => {
    const { snapshot: first } = nextSnapshot(null, view(values));
    for (const text of ['{', '5', 'null', '{"newest_tick":1}']) {
      const next = view({ ...values, health: text }, { changedKeys: new Set(['health']) });
      const { snapshot: second, broken } = nextSnapshot(first, next);
      expect(second.health).toBe(first.health);
      expect([...broken.keys()]).toEqual(['health']);
    }
  });

  it('takes a model named __proto__ for a model', () => {
    const odd = offering('__proto__', '__proto__');
    const { snapshot, broken } = nextSnapshot(
      null,
      view({
        models: `{"models":[],"aliases":{"__proto__":"m"},"offerings":[${JSON.stringify(odd)}]}`,
        health: `{"newest_tick":1,"inflight":{},"ticks":{"__proto__":[]}}`,
        policies: `{"__proto__":{"document":"{}","hash":"h"}}`,
      }),
    );
    expect(snapshot.catalogue.offeringsByModel.get('__proto__')).toEqual([odd]);
    expect(snapshot.catalogue.aliases.get('__proto__')).toBe('m');
    expect(snapshot.health?.ticks.has('__proto__')).toBe(true);
    expect(snapshot.policies.size).toBe(0);
    expect([...broken.values()]).toEqual(['policy __proto__: the document does not have its hash']);
  });
});

describe('the source of snapshots', () => {
  const lines: string[] = [];
  const log = (fields: unknown, text?: unknown) => void lines.push(String(text ?? fields));
  const logger = { info: log, warn: log };

  it('I10 has the catalogue file until the hot keys are read', () => {
    const source = createSnapshotSource({ logger, fallbackModels: catalogue([a]) });
    expect(source.current()).toEqual(catalogueSnapshot(catalogue([a])));
    source.onChange(view(values));
    expect(source.current()?.generation).toBe('1-db');
  });

  it('has nothing without either', () => {
    expect(createSnapshotSource({ logger }).current()).toBeNull();
  });

  it('says once that a key is not readable', () => {
    lines.length = 0;
    const source = createSnapshotSource({ logger });
    source.onChange(view(values));
    for (let i = 0; i < 3; i++) {
      source.onChange(view({ health: '{' }, { changedKeys: new Set(['health']) }));
    }
    expect(lines).toEqual([
      'A generation was read.',
      'Hot keys are not readable; their last values stand.',
    ]);
  });
});
