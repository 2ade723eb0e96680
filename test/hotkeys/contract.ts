import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { REVISIONS_KEPT } from '../../src/hotkeys/check-write.js';
import {
  FIGURES_TTL_SECONDS,
  type HotKeys,
  type HotRead,
  type HotState,
  type HotWrite,
  type Lane,
  position,
} from '../../src/hotkeys/port.js';

/** One store of hot keys, empty at the start. */
export interface HotKeysStore {
  hotKeys: HotKeys;
  /** A client of the same store, as another process has it. */
  another(): HotKeys;
  /** Lets time pass for the lifetimes of all keys. */
  age(ms: number): Promise<void>;
  close(): Promise<void>;
}

const GEN = 'v1.7301.1';
const SECOND = 1000;

/** What holds for every adapter. */
export function hotKeysContract(name: string, open: () => Promise<HotKeysStore>): void {
  describe(`hot keys: ${name}`, () => {
    let store: HotKeysStore;
    let hotKeys: HotKeys;
    beforeEach(async () => {
      store = await open();
      hotKeys = store.hotKeys;
    });
    afterEach(() => store.close());

    const put = async (
      lane: Lane,
      version: number,
      values: Record<string, string | null>,
      options: { complete?: boolean; generation?: string; expected?: HotState | null } = {},
    ): Promise<boolean> => {
      const generation = options.generation ?? GEN;
      const expected =
        options.expected === undefined ? await hotKeys.state(generation) : options.expected;
      return hotKeys.write(generation, expected, {
        ...laneWrite(lane, version, new Map(Object.entries(values))),
        complete: options.complete ?? false,
      });
    };
    const make = async (generation = GEN): Promise<void> => {
      const metrics = { models: 'm1', 'metrics:a|x||': 'a1', 'metrics:b|x||': 'b1' };
      await put('metrics', 1, metrics, { complete: true, generation });
      await put('health', 1, { health: 'h1' }, { complete: true, generation });
      expect(await hotKeys.setGeneration(await hotKeys.generation(), generation)).toBe(true);
    };
    it('keeps figures of the database for a while, beside all generations', async () => {
      expect((await hotKeys.figures()).database).toBeNull();
      await hotKeys.putDatabaseFigures('{"a":1}');
      await store.another().putDatabaseFigures('{"b":2}');
      const { database, store: own } = await hotKeys.figures();
      expect(database).toBe('{"b":2}');
      expect(own.used_memory_human).toMatch(/^\d+(\.\d+)?[BKMG]$/);
      expect(own.keyspace_hits).toBeGreaterThanOrEqual(0);
      expect(await hotKeys.generation()).toBeNull();
      await store.age((FIGURES_TTL_SECONDS + 1) * SECOND);
      expect((await hotKeys.figures()).database).toBeNull();
    });

    const read = async (since: HotRead | null = null): Promise<HotRead> => {
      const found = await hotKeys.read(since === null ? null : position(since));
      if (found === null) throw new Error('nothing was read');
      return found;
    };
    const changes = (of: HotRead): Record<string, string | null> =>
      Object.fromEntries([...of.changed].sort());

    it('an empty store has no generation, no state and nothing to read', async () => {
      expect(await hotKeys.generation()).toBeNull();
      expect(await hotKeys.state(GEN)).toBeNull();
      expect(await hotKeys.read(null)).toBeNull();
      expect(await hotKeys.isLost(GEN)).toBe(true);
    });

    it('a generation is put in force only in place of the one that was expected', async () => {
      expect(await hotKeys.setGeneration('v0', 'v1')).toBe(false);
      expect(await hotKeys.setGeneration(null, 'v1')).toBe(true);
      expect(await hotKeys.setGeneration(null, 'v2')).toBe(false);
      expect(await hotKeys.generation()).toBe('v1');
    });

    it('readers do not get a state whose other lane was never written', async () => {
      await put('health', 1, { health: 'h1' }, { complete: true });
      await hotKeys.setGeneration(null, GEN);
      expect(await hotKeys.read(null)).toBeNull();
      expect(await hotKeys.isLost(GEN)).toBe(true);
      const whole = { complete: true, expected: null };
      expect(await put('metrics', 1, { models: 'm0' }, whole)).toBe(false);
      expect(await put('metrics', 1, { models: 'm1' }, { complete: true })).toBe(true);
      expect(await hotKeys.isLost(GEN)).toBe(false);
      expect(changes(await read())).toEqual({ health: 'h1', models: 'm1' });
    });

    it('a reader gets everything first, then what changed, then nothing', async () => {
      await make();
      const first = await read();
      expect(first).toMatchObject({ generation: GEN, complete: true });
      expect([...first.changed.keys()].sort()).toEqual([
        'health',
        'metrics:a|x||',
        'metrics:b|x||',
        'models',
      ]);
      expect(first.state.lanes.metrics).toMatchObject({
        version: 1,
        vector: { outcomes: [1, 0] },
        writtenAtMs: 1001,
      });

      await put('metrics', 5, { 'metrics:a|x||': 'a2', 'metrics:b|x||': null });
      await put('health', 7, { health: 'h2' });
      const second = await read(first);
      expect(second.complete).toBe(false);
      expect(changes(second)).toEqual({
        health: 'h2',
        'metrics:a|x||': 'a2',
        'metrics:b|x||': null,
      });
      expect(second.state.lanes.health?.version).toBe(7);

      const third = await read(second);
      expect(third.changed.size).toBe(0);
      expect(third.state).toEqual(second.state);
      expect(third.state).toEqual(await hotKeys.state(GEN));
    });

    it('a key that was removed and came back is there for every reader', async () => {
      await make();
      const before = await read();
      await put('metrics', 2, { 'metrics:a|x||': null });
      const between = await read(before);
      await put('metrics', 3, { 'metrics:a|x||': 'a3' });
      expect(changes(await read(before))).toEqual({ 'metrics:a|x||': 'a3' });
      expect(changes(await read(between))).toEqual({ 'metrics:a|x||': 'a3' });
      expect((await read()).changed.get('metrics:a|x||')).toBe('a3');
    });

    it('a write from a state that is no longer there writes nothing', async () => {
      await make();
      const expected = await hotKeys.state(GEN);
      expect(await put('metrics', 2, { models: 'm2' }, { expected })).toBe(true);
      const stored = await read();
      expect(await put('metrics', 9, { models: 'stale' }, { expected })).toBe(false);
      expect(await put('metrics', 9, { models: 'stale' }, { expected: null, complete: true })).toBe(
        false,
      );
      expect(await read()).toEqual(stored);
    });

    it('a write of one lane does not turn away a write of the other', async () => {
      await make();
      const expected = await hotKeys.state(GEN);
      expect(await put('health', 2, { health: 'h2' }, { expected })).toBe(true);
      expect(await put('metrics', 2, { models: 'm2' }, { expected })).toBe(true);
    });

    it('I7 an older version writes nothing', async () => {
      await make();
      await put('metrics', 5, { models: 'm5' });
      const stored = await read();
      expect(await put('metrics', 4, { models: 'm4' })).toBe(false);
      expect(await put('metrics', 4, { models: 'm4' }, { complete: true })).toBe(false);
      expect(await read()).toEqual(stored);
    });

    it('a value that is equal to the stored one is no change', async () => {
      await make();
      const before = await read();
      const values = { models: 'm1', 'metrics:a|x||': 'a1', 'metrics:b|x||': 'b1' };
      expect(await put('metrics', 1, values, { complete: true })).toBe(true);
      expect(await put('metrics', 1, { models: 'm1', 'metrics:never|x||': null })).toBe(true);
      expect((await read(before)).state.revision).toBe(before.state.revision);
      expect(await put('metrics', 1, { models: 'other' })).toBe(true);
      expect(changes(await read(before))).toEqual({ models: 'other' });
    });

    it('an equal version renews the lifetimes and when it was written, not the revision', async () => {
      await make();
      const before = await read();
      for (let i = 0; i < 4; i++) {
        await store.age(50 * SECOND);
        expect(await put('health', 1, {})).toBe(true);
        expect(await put('metrics', 1, {})).toBe(true);
      }
      const after = await read(before);
      expect(after.changed.size).toBe(0);
      expect(after.state).toEqual(before.state);
      const state = await hotKeys.state(GEN);
      const write = laneWrite('health', 1, new Map());
      await hotKeys.write(GEN, state, { ...write, next: { ...write.next, writtenAtMs: 77_000 } });
      expect((await read(before)).state.lanes.health?.writtenAtMs).toBe(77_000);
    });

    it('a write renews the lifetimes of all keys of its lane', async () => {
      await make();
      for (let version = 2; version < 8; version++) {
        await store.age(50 * SECOND);
        await put('health', version, { health: `h${version}` });
        await put('metrics', version, { 'metrics:a|x||': `a${version}` });
      }
      expect((await read()).changed.get('metrics:b|x||')).toBe('b1');
    });

    it('a listed key that is missing is a loss, until the lane is written whole', async () => {
      await make();
      const before = await read();
      await store.age(61 * SECOND);
      expect(await hotKeys.state(GEN)).not.toBeNull();
      expect(await hotKeys.read(null)).toBeNull();
      expect(await hotKeys.read(position(before))).toBeNull();
      expect(await hotKeys.isLost(GEN)).toBe(true);
      await put('health', 1, {});
      await put('metrics', 2, { models: 'm2' });
      expect(await hotKeys.isLost(GEN)).toBe(true);
      expect(await put('health', 1, { health: 'h1' }, { complete: true })).toBe(true);
      expect(changes(await read(before))).toEqual({ health: 'h1', models: 'm2' });
    });

    it('a lost state is made anew with another epoch, and known readers start anew', async () => {
      await make();
      const before = await read();
      const expected = await hotKeys.state(GEN);
      await store.age(601 * SECOND);
      expect(await hotKeys.state(GEN)).toBeNull();
      expect(await put('metrics', 2, { models: 'm2' }, { expected })).toBe(false);
      await put('metrics', 2, { models: 'm2' }, { complete: true });
      await put('health', 2, { health: 'h2' }, { complete: true });
      await hotKeys.setGeneration(null, GEN);
      const after = await read(before);
      expect(after.complete).toBe(true);
      expect(after.state.epoch).not.toBe(before.state.epoch);
      expect(changes(after)).toEqual({ health: 'h2', models: 'm2' });
    });

    it('a complete write removes what it does not hold, in its own lane alone', async () => {
      await make();
      const before = await read();
      await put('metrics', 2, { models: 'm2', policies: 'p2' }, { complete: true });
      expect(changes(await read(before))).toEqual({
        'metrics:a|x||': null,
        'metrics:b|x||': null,
        models: 'm2',
        policies: 'p2',
      });
      expect(changes(await read())).toEqual({ health: 'h1', models: 'm2', policies: 'p2' });
    });

    it('a new generation replaces everything at once, and leaves the old one as it is', async () => {
      await make();
      const before = await read();
      await make('v2.7301.1');
      const after = await read(before);
      expect(after).toMatchObject({ generation: 'v2.7301.1', complete: true });
      expect(after.changed.size).toBe(4);
      expect((await hotKeys.state(GEN))?.epoch).toBe(before.state.epoch);
    });

    it('a reader that is too far behind, or of another history, starts anew', async () => {
      await make();
      const before = await read();
      const foreign = { ...position(before), writeId: '0123456789abcdef' };
      expect((await hotKeys.read(foreign))?.complete).toBe(true);
      const ahead = { ...position(before), revision: before.state.revision + 1 };
      expect((await hotKeys.read(ahead))?.complete).toBe(true);
      await put('metrics', 2, { 'metrics:b|x||': null });
      for (let version = 2; version <= REVISIONS_KEPT - 1; version++) {
        await put('health', version, { health: `h${version}` });
      }
      expect((await read(before)).changed.get('metrics:b|x||')).toBeNull();
      await put('health', 900, { health: 'h900' });
      const after = await read(before);
      expect(after.complete).toBe(true);
      expect(changes(after)).toEqual({ health: 'h900', 'metrics:a|x||': 'a1', models: 'm1' });
    });

    it('names and values of any text are kept as they are', async () => {
      const values = {
        'metrics:__proto__|constructor||': '{"__proto__":{"a":1},"quote":"\\"\\\\"}',
        'metrics:gpt-4o%7C|azure|eu "west"|\u00fc\u{1f600}': 'line\nline\u0000end\u2028',
        'metrics:constructor': '',
      };
      await put('metrics', 1, values, { complete: true });
      await put('health', 1, { health: '{}' }, { complete: true });
      await hotKeys.setGeneration(null, GEN);
      const first = await read();
      expect(changes(first)).toEqual({ health: '{}', ...values });
      await put('metrics', 2, { 'metrics:__proto__|constructor||': null });
      const second = await read(first);
      expect([...second.changed]).toEqual([['metrics:__proto__|constructor||', null]]);
    });

    it('refuses writes that are defects of the writer', async () => {
      await expect(put('health', 1, { health: 'h1' })).rejects.toThrow('must be complete');
      await expect(put('health', 1, { models: 'm' }, { complete: true })).rejects.toThrow(
        'not of lane health',
      );
      await expect(put('metrics', 1, { __proto: 'm' }, { complete: true })).rejects.toThrow(
        'no kind of hot key',
      );
      await expect(put('metrics', -1, {}, { complete: true })).rejects.toThrow('version');
      await expect(hotKeys.setGeneration(null, 'a{b}')).rejects.toThrow('generation');
    });

    it('I7 concurrent writers and readers: no read mixes two revisions, none goes back', async () => {
      await concurrentUse(store, hotKeys);
    });
  });
}

/** Three writers count up in all keys at once; two readers keep a view by changes alone. */
async function concurrentUse(store: HotKeysStore, hotKeys: HotKeys): Promise<void> {
  const names = Array.from({ length: 8 }, (_, i) => `metrics:m${i}|p||`);
  const all = (n: number) => new Map(names.map((name) => [name, String(n)]));
  await hotKeys.write(GEN, null, { ...laneWrite('metrics', 0, all(0)), complete: true });
  const state = await hotKeys.state(GEN);
  const health = laneWrite('health', 0, new Map([['health', '0']]));
  await hotKeys.write(GEN, state, { ...health, complete: true });
  await hotKeys.setGeneration(null, GEN);

  const WRITES = 60;
  let written = 0;
  const writer = async (client: HotKeys): Promise<void> => {
    while (written < WRITES) {
      const expected = await client.state(GEN);
      const next = (expected?.lanes.metrics?.version ?? 0) + 1;
      if (await client.write(GEN, expected, laneWrite('metrics', next, all(next)))) written++;
      const healthWrite = laneWrite('health', next, new Map([['health', String(next)]]));
      await client.write(GEN, expected, healthWrite);
    }
  };
  let reads = 0;
  const reader = async (client: HotKeys): Promise<void> => {
    let last: HotRead | null = null;
    const view = new Map<string, string>();
    do {
      const now: HotRead | null = await client.read(last === null ? null : position(last));
      expect(now).not.toBeNull();
      for (const [key, value] of now!.changed) view.set(key, value!);
      const version = now!.state.lanes.metrics!.version;
      expect(version).toBeGreaterThanOrEqual(last?.state.lanes.metrics?.version ?? 0);
      for (const name of names) expect(view.get(name)).toBe(String(version));
      expect(view.get('health')).toBe(String(now!.state.lanes.health!.version));
      last = now;
      reads++;
    } while (written < WRITES);
  };
  await Promise.all([
    writer(store.another()),
    writer(store.another()),
    writer(hotKeys),
    reader(store.another()),
    reader(hotKeys),
  ]);
  expect(reads).toBeGreaterThan(2);
  expect((await hotKeys.state(GEN))?.lanes.metrics?.version).toBe(written);
}

function laneWrite(lane: Lane, version: number, values: HotWrite['values']): HotWrite {
  const next = { version, vector: { outcomes: [version, 0] }, writtenAtMs: 1000 + version };
  return { lane, next, values, complete: false };
}
