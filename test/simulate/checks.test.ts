import { expect, it, vi } from 'vitest';
import { TOPICS } from '../../ops/simulate/layout.js';
import { scenarioOf } from '../../ops/simulate/scenario.js';
import { shrink } from '../../ops/simulate/shrink.js';
import { simulate } from '../../ops/simulate/simulation.js';
import type { System } from '../../ops/simulate/system.js';
import { AiRouterError } from '../../src/errors.js';
import type { HotKeys, HotRead, Lane } from '../../src/hotkeys/port.js';

// Each check is seen to fail: a service is broken in the one way that it is there to find.

const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);

vi.setConfig({ testTimeout: 120_000 });

/** The invariants that fail first, over the seeds, with the service broken. */
async function failing(plant: (system: System) => void): Promise<Set<string>> {
  const found = new Set<string>();
  for (const seed of SEEDS) {
    const { failure } = await simulate({ seed, plant });
    if (failure !== null) found.add(failure.invariant);
  }
  return found;
}

/** Takes away the checks of each commit, so that those at rest are the first to find something. */
function atRestOnly({ commitChecks }: System): void {
  commitChecks.onCommit = () => {};
  commitChecks.checkAll = () => {};
  commitChecks.isLimitPassed = () => true;
}

it('I1 finds an append that is acknowledged and not written', async () => {
  const found = await failing(({ log }) => {
    const append = log.append.bind(log);
    let appends = 0;
    log.append = (topic, partition, records) => {
      appends += 1;
      const isLost = topic === TOPICS.outcomes && appends % 5 === 0;
      return isLost ? log.bounds(topic, partition).end : append(topic, partition, records);
    };
  });
  expect(found).toContain('I1');
});

it('I2 finds a batch that counts twice', async () => {
  const found = await failing((system) => {
    atRestOnly(system);
    const { store } = system;
    const commit = store.commit.bind(store);
    store.commit = (sent) => {
      commit(sent);
      const { counts, tables } = store.place(sent.place);
      tables.apply(sent.result.delta);
      counts.read += sent.result.counts.read;
      counts.applied += sent.result.counts.applied;
    };
  });
  expect([...found]).toEqual(['I2']);
});

it('I3 finds rows that are lost', async () => {
  const found = await failing((system) => {
    atRestOnly(system);
    loseRows(system, 'airouter.outcomes');
  });
  expect([...found]).toEqual(['I3']);
});

it('I4 finds a commit that is not whole', async () => {
  const found = await failing((system) => loseRows(system, 'airouter.'));
  expect([...found]).toEqual(['I4']);
});

it('I5 finds a commit that does not compare the stored offset', async () => {
  const found = await failing(({ store }) => {
    const commit = store.commit.bind(store);
    store.commit = (sent) => {
      const { place, expected } = sent;
      store.place(place).offsetNext = expected;
      commit(sent);
    };
  });
  expect([...found]).toEqual(['I5']);
});

it('I6 finds rows that a rebuild does not have', async () => {
  const found = await failing((system) => {
    atRestOnly(system);
    loseRows(system, 'airouter.catalogue');
  });
  expect([...found]).toEqual(['I6']);
});

it('I7 finds hot keys ahead of the store', async () => {
  const found = await failing(({ store: { hotValues } }) => {
    const health = hotValues.health.bind(hotValues);
    hotValues.health = () => {
      const { vector, value } = health();
      return {
        vector: { ...vector, [TOPICS.catalogue]: [vector[TOPICS.catalogue]![0]! + 1] },
        value,
      };
    };
  });
  expect([...found]).toEqual(['I7']);
});

it('I7 finds a value that is older than the vector that it stands under', async () => {
  const found = await failing(({ store: { hotValues } }) => {
    const metrics = hotValues.metrics.bind(hotValues);
    hotValues.metrics = (since) => {
      const { vector, values } = metrics(since);
      for (const key of [...values.keys()].slice(1)) values.delete(key);
      return { vector, values };
    };
  });
  expect([...found]).toEqual(['I7']);
});

it('I8 finds a router that goes back', async () => {
  const found = await failing(({ hotKeys }) => {
    const connect = hotKeys.connect.bind(hotKeys);
    hotKeys.connect = (call) => goingBack(connect(call));
  });
  expect(found).toContain('I8');
});

it('I9 finds a dead letter that was not written', async () => {
  const found = await failing(({ log }) => {
    const append = log.append.bind(log);
    log.append = (topic, partition, records) =>
      topic === TOPICS.deadLetters ? 0 : append(topic, partition, records);
  });
  expect([...found]).toEqual(['I9']);
});

it('I9 finds a lag that does not reach zero', async () => {
  const { failure } = await simulate({
    seed: 1,
    plant: ({ store }) => {
      store.load = () => {
        throw new AiRouterError('database_unavailable', 'planted');
      };
    },
  });
  expect(failure).toMatchObject({ invariant: 'I9', message: /the lag is zero/ });
});

it('makes the scenario of a failing seed shorter, and it still fails', {
  timeout: 60_000,
}, async () => {
  const plant = (system: System): void => loseRows(system, 'airouter.outcomes');
  const shortest = await shrink(3, { plant });
  expect(shortest.length).toBeLessThan(scenarioOf(3).length);
  expect((await simulate({ seed: 3, moves: shortest, plant })).failure?.invariant).toBe('I4');
});

/** The offset is stored, the rows of some commits are not. */
function loseRows({ store }: System, topicPrefix: string): void {
  const commit = store.commit.bind(store);
  store.commit = (sent) => {
    const isHit = sent.place.startsWith(topicPrefix);
    const { delta, ...rest } = sent.result;
    const empty = {
      rows: Object.fromEntries(Object.keys(delta.rows).map((name) => [name, new Map()])),
    };
    commit(isHit ? { ...sent, result: { ...rest, delta: empty as typeof delta } } : sent);
  };
}

/** Answers vectors that move from one partition to another, so that their sums do not tell. */
function goingBack(keys: HotKeys): HotKeys {
  return {
    generation: keys.generation,
    setGeneration: keys.setGeneration,
    state: keys.state,
    write: keys.write,
    isLost: keys.isLost,
    figures: keys.figures,
    putDatabaseFigures: keys.putDatabaseFigures,
    close: keys.close,
    read: async (since) => {
      const read = await keys.read(since);
      return read === null || since === null ? read : withVectorOfNothing(read, 'health');
    },
  };
}

function withVectorOfNothing(read: HotRead, lane: Lane): HotRead {
  const { state } = read;
  const stored = state.lanes[lane]!;
  const emptied = { ...stored, vector: {}, writtenAtMs: stored.writtenAtMs + 1 };
  return { ...read, state: { ...state, lanes: { ...state.lanes, [lane]: emptied } } };
}
