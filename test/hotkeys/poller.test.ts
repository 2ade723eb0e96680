import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AiRouterError } from '../../src/errors.js';
import { createPoller, type HotView, type Poller } from '../../src/hotkeys/poller.js';
import type { HotKeys, HotPosition, HotRead } from '../../src/hotkeys/port.js';
import { RecordingLogger } from './recording-logger.js';

let nowMs = 1000;
let answer: (since: HotPosition | null) => Promise<HotRead | null>;
let asked: (HotPosition | null)[];
let views: HotView[];
let onChange: (view: HotView) => void;
let logger: RecordingLogger;
let poller: Poller;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  answer = async () => null;
  asked = [];
  views = [];
  onChange = (view) => views.push(view);
  logger = new RecordingLogger();
  const read = (since: HotPosition | null) => {
    asked.push(since);
    return answer(since);
  };
  poller = createPoller({
    hotKeys: { read } as unknown as HotKeys,
    pollIntervalMs: 50,
    onChange: (view) => onChange(view),
    clock: { nowMs: () => nowMs },
    logger,
  });
});

afterEach(async () => {
  await poller.close();
  vi.useRealTimers();
});

function hotRead(
  revision: number,
  changed: Record<string, string | null>,
  { complete = false, generation = 'v1', epoch = 'e', version = revision, writtenAtMs = 5 } = {},
): HotRead {
  const lane = { version, vector: { t: [version] }, writtenAtMs, writeId: `w${revision}` };
  const lanes = { health: lane, metrics: lane };
  const state = { epoch, revision, writeId: `w${revision}`, lanes };
  return { generation, state, changed: new Map(Object.entries(changed)), complete };
}

async function poll(read: HotRead | null): Promise<void> {
  answer = async () => read;
  await poller.pollNow();
}

it('hands over everything first, then each change in a view of its own', async () => {
  await poller.pollNow();
  expect(poller.lastSuccessMs).toBeNull();
  await poll(hotRead(1, { models: 'm', health: 'h1', 'metrics:a': 'a' }, { complete: true }));
  await poll(hotRead(2, { health: 'h2', 'metrics:a': null, 'metrics:never': null }));
  expect(views).toHaveLength(2);
  expect(Object.fromEntries(views[0]!.values)).toEqual({
    models: 'm',
    health: 'h1',
    'metrics:a': 'a',
  });
  expect(Object.fromEntries(views[1]!.values)).toEqual({ models: 'm', health: 'h2' });
  expect([...views[1]!.changedKeys].sort()).toEqual(['health', 'metrics:a']);
  expect(views[1]).toMatchObject({ generation: 'v1', state: { revision: 2 } });
  expect(asked.at(-1)).toEqual({ generation: 'v1', epoch: 'e', revision: 1, writeId: 'w1' });
  expect(poller.lastSuccessMs).toBe(1000);
});

it('a state made anew tells only what really changed', async () => {
  await poll(hotRead(5, { models: 'm', health: 'h1', uptime: 'u' }, { complete: true }));
  await poll(
    hotRead(1, { models: 'm', health: 'h2' }, { complete: true, epoch: 'other', version: 6 }),
  );
  expect([...views[1]!.changedKeys].sort()).toEqual(['health', 'uptime']);
  expect(views[1]!.values.has('uptime')).toBe(false);
});

it('a new generation replaces everything at once, also with a lower version', async () => {
  await poll(hotRead(5, { models: 'old' }, { complete: true }));
  await poll(hotRead(1, { health: 'h' }, { complete: true, generation: 'v2' }));
  expect(views[1]).toMatchObject({ generation: 'v2' });
  expect([...views[1]!.values]).toEqual([['health', 'h']]);
});

it('hands over when only the time of writing moved, and nothing where nothing did', async () => {
  await poll(hotRead(1, { health: 'h' }, { complete: true }));
  await poll(hotRead(1, {}));
  expect(views).toHaveLength(1);
  await poll(hotRead(1, {}, { writtenAtMs: 6 }));
  expect(views).toHaveLength(2);
  expect(views[1]!.changedKeys.size).toBe(0);
  expect([...views[1]!.values]).toEqual([['health', 'h']]);
});

it('I10 keeps the last view through failures and losses, and logs each change of state once', async () => {
  await poll(hotRead(1, { health: 'h' }, { complete: true }));
  logger.lines.length = 0;
  nowMs = 2000;
  for (let i = 0; i < 5; i++) await poll(null);
  answer = async () => {
    throw new AiRouterError('hot_keys_unavailable', 'refused');
  };
  for (let i = 0; i < 5; i++) await poller.pollNow();
  expect(views).toHaveLength(1);
  expect(poller.lastSuccessMs).toBe(1000);
  await poll(hotRead(2, { health: 'h2' }));
  expect(poller.lastSuccessMs).toBe(2000);
  expect(logger.lines).toEqual([
    expect.stringContaining('warn The hot keys cannot be read; the last ones stand.'),
    expect.stringContaining('info The hot keys are read again.'),
  ]);
  nowMs = 1000;
});

it('I7 never goes back within a generation, whatever the store has lost', async () => {
  await poll(hotRead(5, { health: 'h5' }, { complete: true }));
  await poll(hotRead(4, { health: 'h4' }, { complete: true, epoch: 'other' }));
  expect(views).toHaveLength(1);
  expect(asked.at(-1)?.revision).toBe(5);
  await poll(hotRead(7, { health: 'h6' }, { complete: true, epoch: 'other', version: 6 }));
  expect(views[1]!.values.get('health')).toBe('h6');
});

it('a view that its user cannot take is read again', async () => {
  await poll(hotRead(1, { models: 'm' }, { complete: true }));
  onChange = () => {
    throw new Error('garbage');
  };
  await poll(hotRead(2, { models: '{' }));
  onChange = (view) => views.push(view);
  await poll(hotRead(3, { models: 'm3' }));
  expect(asked.at(-1)?.revision).toBe(1);
  expect(views.at(-1)!.values.get('models')).toBe('m3');
});

it('I11 polls at its interval with one read in flight, and says when one is slow', async () => {
  await vi.advanceTimersByTimeAsync(500);
  expect(asked.length).toBeGreaterThanOrEqual(10);
  expect(asked.length).toBeLessThanOrEqual(12);

  await poll(hotRead(1, { health: 'h' }, { complete: true }));
  logger.lines.length = 0;
  let finish = (_: HotRead | null): void => {};
  answer = () => new Promise((resolve) => (finish = resolve));
  asked = [];
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked).toHaveLength(1);
  expect(logger.lines).toEqual([expect.stringContaining('no answer for 2000 ms')]);
  answer = async () => null;
  finish(hotRead(2, { health: 'h2' }));
  await vi.advanceTimersByTimeAsync(0);
  expect(views.at(-1)!.values.get('health')).toBe('h2');
});

it('asks no more once it is closed', async () => {
  await poller.close();
  asked = [];
  await vi.advanceTimersByTimeAsync(1_000);
  await poller.pollNow();
  expect(asked).toEqual([]);
});
