import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AiRouterError } from '../../src/errors.js';
import { createMemoryHotKeys } from '../../src/hotkeys/memory-hot-keys.js';
import { createPoller, type HotView } from '../../src/hotkeys/poller.js';
import { LANES } from '../../src/hotkeys/port.js';
import { createRefresher } from '../../src/hotkeys/refresher.js';
import { FakeSource, isAtOrBelow } from './fake-source.js';
import { Script } from './script.js';

const KEYS = ['models', 'metrics:a|x||', 'metrics:b|x||', 'metrics:__proto__|x||'];
const PARTITIONS = 3;
const silent = { info: () => {}, warn: () => {} };

type Step =
  | { do: 'commit'; partition: number; keys: string[]; caughtUp: boolean }
  | { do: 'go on'; choice: number }
  | { do: 'age'; seconds: number }
  | { do: 'store'; away: boolean }
  | { do: 'new generation' };

const step = fc.oneof(
  { weight: 40, arbitrary: fc.record({ do: fc.constant('go on' as const), choice: fc.nat(50) }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      partition: fc.nat(PARTITIONS - 1),
      keys: fc.subarray(KEYS),
      caughtUp: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('age' as const),
      seconds: fc.constantFrom(20, 61, 181, 601),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('store' as const), away: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ do: 'new generation' as const }) },
);

it('I7 refreshers side by side: what is read is the database as of the vector, never goes back, and is equal at rest', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.array(step, { minLength: 50, maxLength: 300 }),
      play,
    ),
    { numRuns: 500 },
  );
});

async function play(refreshers: number, steps: readonly Step[]): Promise<void> {
  let nowMs = 1;
  let isAway = false;
  const clock = { nowMs: () => nowMs };
  const store = createMemoryHotKeys(clock);
  const source = new FakeSource(PARTITIONS);
  const script = new Script();
  const reach = (): void => {
    if (isAway) throw new AiRouterError('hot_keys_unavailable', 'away');
  };
  const running = Array.from({ length: refreshers }, () =>
    createRefresher({
      source: script.slowed(source),
      hotKeys: script.slowed(store, reach),
      clock,
      logger: silent,
      schedule: script.schedule,
      random: () => 0.5,
    }),
  );
  const views: HotView[] = [];
  const poller = createPoller({
    hotKeys: store,
    pollIntervalMs: 1e9,
    onChange: (view) => views.push(view),
    clock,
    logger: silent,
    schedule: () => () => {},
  });
  const check = async (): Promise<void> => {
    await poller.pollNow();
    const view = views.at(-1);
    if (view !== undefined) checkView(view, views.at(-2), source);
  };

  let generations = 100;
  for (const next of steps) {
    if (next.do === 'go on') await script.step(next.choice);
    else if (next.do === 'age') nowMs += next.seconds * 1000;
    else if (next.do === 'store') isAway = next.away;
    else if (next.do === 'new generation') {
      source.name = source.nameInForce = `v${++generations}.7.1`;
    } else {
      source.commit(next.partition, next.keys);
      running[next.partition % refreshers]!.notify({ caughtUp: next.caughtUp });
    }
    await check();
  }

  isAway = false;
  let settled = 0;
  for (const refresher of running) void refresher.settle(1e9).then(() => settled++);
  await script.runUntil(async () => {
    await check();
    const state = await store.state(source.name);
    const isEqual = LANES.every(
      (lane) => JSON.stringify(state?.lanes[lane]?.vector) === JSON.stringify(source.vector),
    );
    return (
      settled === refreshers && isEqual && (await store.read(null))?.generation === source.name
    );
  });
  await check();
  const last = views.at(-1)!;
  expect(last.values.get('health')).toBe(source.healthAt(source.vector));
  expect(new Map([...last.values].filter(([key]) => key !== 'health'))).toEqual(
    source.valuesAt(source.vector),
  );

  const closing = Promise.all(running.map((refresher) => refresher.close()));
  let isClosed = false;
  void closing.then(() => {
    isClosed = true;
  });
  await script.runUntil(() => isClosed);
  await poller.close();
}

function checkView(view: HotView, before: HotView | undefined, source: FakeSource): void {
  const { health, metrics } = view.state.lanes;
  for (const lane of [health!, metrics!]) {
    expect(isAtOrBelow(lane.vector, source.vector)).toBe(true);
  }
  expect(view.generation >= (before?.generation ?? '')).toBe(true);
  if (before?.generation === view.generation) {
    for (const lane of LANES) {
      const earlier = before.state.lanes[lane]!.vector;
      expect(isAtOrBelow(earlier, view.state.lanes[lane]!.vector)).toBe(true);
    }
  }
  const expected = source.valuesAt(metrics!.vector).set('health', source.healthAt(health!.vector));
  expect(new Map(view.values)).toEqual(expected);
}
