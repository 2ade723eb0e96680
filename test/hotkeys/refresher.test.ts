import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AiRouterError } from '../../src/errors.js';
import { createMemoryHotKeys } from '../../src/hotkeys/memory-hot-keys.js';
import type { HotKeys, HotRead, HotWrite } from '../../src/hotkeys/port.js';
import { createRefresher, type Refresher } from '../../src/hotkeys/refresher.js';
import { FakeSource } from './fake-source.js';
import { RecordingLogger } from './recording-logger.js';

const GEN = 'v100.7.1';
const KEY = 'metrics:a|x||';

let nowMs = 1;
const clock = { nowMs: () => nowMs };
let store: HotKeys;
/** Each write that reached the store, and whether it got through. */
let writes: { lane: string; complete: boolean; written: boolean }[];
let onWrite: () => Promise<void>;
let hotKeys: HotKeys;
let source: FakeSource;
let logger: RecordingLogger;
let refresher: Refresher;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  nowMs = 1;
  store = createMemoryHotKeys(clock);
  writes = [];
  onWrite = async () => {};
  hotKeys = Object.assign(Object.create(store) as HotKeys, {
    generation: () => store.generation(),
    setGeneration: (expected: string | null, next: string) => store.setGeneration(expected, next),
    state: (generation: string) => store.state(generation),
    isLost: (generation: string) => store.isLost(generation),
    write: async (...args: Parameters<HotKeys['write']>) => {
      await onWrite();
      const written = await store.write(...args);
      writes.push({ lane: args[2].lane, complete: args[2].complete, written });
      return written;
    },
  });
  source = new FakeSource(2);
  source.commit(0, ['models', KEY]);
  logger = new RecordingLogger();
});

afterEach(async () => {
  await refresher.close();
  vi.useRealTimers();
});

async function start(): Promise<void> {
  refresher = createRefresher({ source, hotKeys, clock, logger });
  await refresher.settle();
  await vi.advanceTimersByTimeAsync(0);
}

async function read(): Promise<HotRead | null> {
  return store.read(null);
}

function versions(of: HotRead | null): (number | undefined)[] {
  return [of?.state.lanes.health?.version, of?.state.lanes.metrics?.version];
}

it('writes everything on start, then points readers at the generation', async () => {
  await start();
  const found = await read();
  expect(found?.generation).toBe(GEN);
  expect(versions(found)).toEqual([1, 1]);
  expect(found?.changed).toEqual(
    new Map([...source.valuesAt(source.vector), ['health', source.healthAt(source.vector)]]),
  );
});

it('on start it replaces what another program left at the same version', async () => {
  const next = { version: 1, vector: source.vector, writtenAtMs: 1 };
  const left = (lane: HotWrite['lane'], values: [string, string][]): HotWrite => ({
    lane,
    next,
    values: new Map(values),
    complete: true,
  });
  await store.write(GEN, null, left('metrics', [['policies', 'left behind']]));
  await store.write(GEN, await store.state(GEN), left('health', [['health', 'left behind']]));
  await start();
  expect((await read())?.changed.get('health')).toBe(source.healthAt(source.vector));
  expect((await read())?.changed.has('policies')).toBe(false);
});

it('still replaces it where the store was away at first', async () => {
  const next = { version: 1, vector: source.vector, writtenAtMs: 1 };
  const values = new Map([['policies', 'left behind']]);
  await store.write(GEN, null, { lane: 'metrics', next, values, complete: true });
  onWrite = async () => {
    throw new AiRouterError('hot_keys_unavailable', 'refused');
  };
  const starting = start();
  await vi.advanceTimersByTimeAsync(50);
  onWrite = async () => {};
  // Longer than any pause that was drawn by then.
  await vi.advanceTimersByTimeAsync(1_000);
  await starting;
  expect((await read())?.changed.has('policies')).toBe(false);
});

it('writes health at once and holds the metrics back for the rest of the second', async () => {
  await start();
  source.commit(0, [KEY]);
  refresher.notify({ caughtUp: false });
  await vi.advanceTimersByTimeAsync(0);
  expect(versions(await read())).toEqual([2, 1]);
  await vi.advanceTimersByTimeAsync(999);
  expect(versions(await read())).toEqual([2, 1]);
  await vi.advanceTimersByTimeAsync(1);
  expect(versions(await read())).toEqual([2, 2]);
});

it('writes the metrics at once at the end of the log', async () => {
  await start();
  source.commit(0, [KEY]);
  refresher.notify({ caughtUp: true });
  await vi.advanceTimersByTimeAsync(0);
  expect(versions(await read())).toEqual([2, 2]);
});

it('I11 writes a flow that never pauses once a second, though it is always at its end', async () => {
  await start();
  // As each write takes a while, more was committed when it ends.
  onWrite = () =>
    new Promise((resolve) => {
      setTimeout(() => {
        source.commit(0, [KEY]);
        refresher.notify({ caughtUp: true });
        resolve();
      }, 10);
    });
  refresher.notify({ caughtUp: true });
  await vi.advanceTimersByTimeAsync(1_000);
  writes = [];
  await vi.advanceTimersByTimeAsync(10_000);
  const metrics = writes.filter(({ lane }) => lane === 'metrics').length;
  onWrite = async () => {};
  await vi.advanceTimersByTimeAsync(1_000);
  // Once a second, and once for each look of the reconciler.
  expect(metrics).toBeGreaterThanOrEqual(10);
  expect(metrics).toBeLessThanOrEqual(16);
  expect(versions(await read())[1]).toBe(versions(await read())[0]);
  source.commit(0, [KEY]);
  refresher.notify({ caughtUp: true });
  await vi.advanceTimersByTimeAsync(0);
  expect(versions(await read())[1]).toBe(versions(await read())[0]);
});

it('I11 a flood of commits waits behind the write in flight as one', async () => {
  await start();
  writes = [];
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  onWrite = () => gate;
  for (let i = 0; i < 1000; i++) {
    source.commit(0, [KEY]);
    refresher.notify({ caughtUp: i < 500 });
    if (i === 0) await vi.advanceTimersByTimeAsync(0);
  }
  open();
  await vi.advanceTimersByTimeAsync(0);
  expect(versions(await read())).toEqual([1001, 1001]);
  expect(writes.filter(({ lane }) => lane === 'health')).toHaveLength(2);
  expect(writes.filter(({ lane }) => lane === 'metrics')).toHaveLength(2);
});

it('keeps what is due while the store is away, and says so in two lines', async () => {
  await start();
  onWrite = async () => {
    throw new AiRouterError('hot_keys_unavailable', 'refused');
  };
  for (let i = 0; i < 20; i++) {
    source.commit(1, [KEY]);
    refresher.notify({ caughtUp: true });
    await vi.advanceTimersByTimeAsync(700);
  }
  expect(versions(await read())).toEqual([1, 1]);
  expect(logger.lines).toHaveLength(1);
  expect(logger.lines[0]).toContain('warn The hot keys cannot be written');
  onWrite = async () => {};
  await vi.advanceTimersByTimeAsync(4_000);
  expect(versions(await read())).toEqual([21, 21]);
  expect(logger.lines).toHaveLength(2);
  expect(logger.lines[1]).toContain('info The hot keys are written again');
});

it('settle resolves when all that was notified is written, and rejects in time where it cannot be', async () => {
  await start();
  source.commit(0, [KEY]);
  refresher.notify({ caughtUp: false });
  await refresher.settle();
  expect(versions(await read())).toEqual([2, 2]);

  onWrite = async () => {
    throw new AiRouterError('hot_keys_unavailable', 'refused');
  };
  refresher.notify({ caughtUp: false });
  const late = expect(refresher.settle(500)).rejects.toMatchObject({
    code: 'hot_keys_unavailable',
  });
  await vi.advanceTimersByTimeAsync(500);
  await late;
  const closed = expect(refresher.settle()).rejects.toThrow('closed');
  await refresher.close();
  await closed;
});

it('settle does not wait for the second of what came in during a write', async () => {
  await start();
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  onWrite = () => gate;
  refresher.notify({ caughtUp: true });
  await vi.advanceTimersByTimeAsync(0);
  const settled = refresher.settle();
  source.commit(0, [KEY]);
  refresher.notify({ caughtUp: false });
  const settledLater = refresher.settle();
  open();
  await Promise.all([settled, settledLater]);
  expect(versions(await read())).toEqual([2, 2]);
});

it('at rest it renews the lifetimes, and readers see when it last looked', async () => {
  await start();
  const before = await read();
  for (let i = 0; i < 100; i++) {
    nowMs += 10_000;
    await vi.advanceTimersByTimeAsync(2_000);
  }
  const after = await read();
  expect(after?.state.revision).toBe(before?.state.revision);
  expect(after?.state.lanes.health?.writtenAtMs).toBeGreaterThan(nowMs - 20_000);
});

it('a key that was lost is written again within the reconcile interval', async () => {
  await start();
  nowMs += 61_000;
  expect(await read()).toBeNull();
  await vi.advanceTimersByTimeAsync(2_000);
  expect((await read())?.changed.has('health')).toBe(true);
  expect(logger.lines).toEqual([
    expect.stringContaining('warn Hot keys were lost; all are written again.'),
  ]);
});

it('a state that was lost is made anew by the first commit, within the second', async () => {
  await start();
  nowMs += 601_000;
  source.commit(0, []);
  refresher.notify({ caughtUp: false });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(versions(await read())).toEqual([2, 2]);
  expect((await read())?.changed.size).toBe(3);
});

it('values that change without a mark are written at an equal version, equal ones are not', async () => {
  await start();
  source.unmarked.set('uptime', '1');
  await vi.advanceTimersByTimeAsync(2_000);
  const first = await read();
  expect(first?.changed.get('uptime')).toBe('1');
  await vi.advanceTimersByTimeAsync(20_000);
  expect((await read())?.state.revision).toBe(first?.state.revision);
});

it('I7 a database that was put back writes nothing until it has caught up, and says so once', async () => {
  source.commit(1, [KEY]);
  await start();
  const before = await read();
  source.putBack(0, 0);
  source.commit(1, [KEY]);
  source.commit(1, [KEY]);
  for (let i = 0; i < 40; i++) {
    nowMs += 2_000;
    refresher.notify({ caughtUp: true });
    await vi.advanceTimersByTimeAsync(2_000);
  }
  expect(await read()).toEqual(before);
  source.commit(0, ['models', KEY]);
  refresher.notify({ caughtUp: true });
  await vi.advanceTimersByTimeAsync(0);
  expect(versions(await read())).toEqual([4, 4]);
  expect(logger.lines).toEqual([
    expect.stringContaining('warn The database stands below the hot keys'),
    expect.stringContaining('info The database has reached the hot keys again'),
  ]);
});

it('a generation that is not in force is written, but readers are not pointed at it', async () => {
  source.nameInForce = 'v99.7.1';
  await start();
  expect(await store.generation()).toBeNull();
  expect(await store.isLost(GEN)).toBe(false);
  source.nameInForce = GEN;
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await store.generation()).toBe(GEN);
});

it('a new generation is whole before readers are pointed at it', async () => {
  await start();
  source.name = source.nameInForce = 'v101.7.1';
  const seen = new Set<string | null>();
  onWrite = async () => {
    seen.add(await store.generation());
    expect(await read()).not.toBeNull();
  };
  await vi.advanceTimersByTimeAsync(2_000);
  expect([...seen][0]).toBe(GEN);
  expect((await read())?.generation).toBe('v101.7.1');
});

it('begins again after another writer got through, and pauses where it never does', async () => {
  await start();
  let others = 0;
  onWrite = async () => {
    if (others++ >= 7) return;
    const state = await store.state(GEN);
    const { version, vector, writtenAtMs } = state!.lanes.health!;
    const value = new Map([['health', `other ${others}`]]);
    const next = { version, vector, writtenAtMs };
    await store.write(GEN, state, { lane: 'health', next, values: value, complete: false });
  };
  source.commit(0, []);
  writes = [];
  refresher.notify({ caughtUp: false });
  await vi.advanceTimersByTimeAsync(0);
  expect(writes.map(({ written }) => written)).toEqual([false, false, false, false, false]);
  await vi.advanceTimersByTimeAsync(100);
  expect((await read())?.changed.get('health')).toBe(source.healthAt(source.vector));
  expect(logger.lines).toEqual([]);
});

it('points readers at the generation again in the same round in which all was lost', async () => {
  await start();
  const { isLost } = hotKeys;
  hotKeys.isLost = (generation) => {
    store = createMemoryHotKeys(clock);
    hotKeys.isLost = isLost;
    return store.isLost(generation);
  };
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await store.generation()).toBe(GEN);
  expect(versions(await read())).toEqual([1, 1]);
});
