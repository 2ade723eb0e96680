import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryHotKeys } from '../../src/hotkeys/memory-hot-keys.js';
import type { HotKeys } from '../../src/hotkeys/port.js';
import { type LaneOutcome, refreshLane } from '../../src/hotkeys/refresh-lane.js';
import { FakeSource } from './fake-source.js';

const GEN = 'v100.7.1';
const KEYS = ['metrics:a|x||', 'models'];
const clock = { nowMs: () => 1 };

let store: HotKeys;
let source: FakeSource;
beforeEach(() => {
  store = createMemoryHotKeys(clock);
  source = new FakeSource(2);
  source.commit(0, KEYS);
});

const refresh = (hotKeys: HotKeys, remake: boolean): Promise<LaneOutcome> =>
  refreshLane({ source, hotKeys, clock, generation: GEN, lane: 'metrics', remake });

/** Of a writer that is slower than another one, which commits and writes before each of its writes. */
function beatenEachTime(): HotKeys {
  return Object.assign(Object.create(store) as HotKeys, {
    state: (generation: string) => store.state(generation),
    async write(...args: Parameters<HotKeys['write']>) {
      source.commit(1, [KEYS[0]!]);
      await refresh(store, false);
      return store.write(...args);
    },
  });
}

async function valuesInStore(): Promise<ReadonlyMap<string, string | null> | undefined> {
  const lane = { lane: 'health', values: new Map([['health', '1']]), complete: true } as const;
  const next = { version: 1, vector: { outcomes: [1, 0] }, writtenAtMs: 1 };
  await store.write(GEN, await store.state(GEN), { ...lane, next });
  await store.setGeneration(null, GEN);
  return (await store.read(null))?.changed;
}

describe('a writer that is beaten each time', () => {
  it('is done once the other one has written what it was asked for', async () => {
    await refresh(store, true);
    source.commit(0, KEYS);
    expect(await refresh(beatenEachTime(), false)).toEqual({ result: 'written' });
    const stored = (await store.state(GEN))?.lanes.metrics;
    expect(stored?.vector).toEqual(source.vector);
  });

  it('is done with a lane that was lost once the other one has made it anew', async () => {
    expect(await refresh(beatenEachTime(), true)).toEqual({ result: 'written' });
    const values = await valuesInStore();
    for (const [key, value] of source.valuesAt(source.vector)) {
      expect([key, values?.get(key)]).toEqual([key, value]);
    }
  });

  it('is not done where all of a lane is to be replaced that only changes were written to', async () => {
    await refresh(store, true);
    expect(await refresh(beatenEachTime(), true)).toEqual({ result: 'contended' });
  });
});
