import { LANES } from '../../src/hotkeys/port.js';
import type { Invariant } from './failures.js';
import { FOLDED, placeName, TOPICS } from './layout.js';
import type { System } from './system.js';
import { idOf, outcomeOf, singleRecord } from './traffic.js';

const STEPS_MAX = 6_000;
const NEVER_MS = 1e9;

/**
 * The faults are over, what was away is back: everything must come to its end by itself, and the
 * lag reach zero.
 */
export async function comeToRest(system: System): Promise<void> {
  const { scheduler, log, publishers, projectors } = system;
  scheduler.trace.add(scheduler.nowMs, '-- no more faults');
  scheduler.hasFaults = false;
  scheduler.away.clear();
  log.driftMs = 0;
  for (const process of system.processes) process.isStalled = false;
  system.rebalance();
  let flushed = 0;
  for (const process of publishers) {
    await scheduler.run(process, 'flushes', () => {
      void process.publisher.flush().then(() => flushed++);
    });
  }
  await until(system, 'I1', 'publishers are done', () => {
    return flushed === publishers.length && system.closing.size === 0;
  });
  await until(system, 'I9', 'the lag is zero', () => {
    allowStopped(system);
    return FOLDED.every((place) => isCaughtUp(system, placeName(place)));
  });
  await until(system, 'I7', 'routers see all that is committed', () => areRoutersEqual(system));
  let settled = 0;
  for (const process of projectors) {
    await scheduler.run(process, 'settles its hot keys', () => {
      void process.refresher.settle(NEVER_MS).then(() => settled++);
    });
  }
  await until(system, 'I7', 'hot keys are settled', () => {
    const areQuiet = projectors.every((each) => each.consumer.isIdle && !scheduler.hasSteps(each));
    return settled === projectors.length && areQuiet;
  });
  await probe(system);
}

/** As an operator does, who has looked at the dead letters. */
function allowStopped({ store, log, commitChecks }: System): void {
  for (const { topic, partition } of FOLDED) {
    const name = placeName({ topic, partition });
    const { offsetNext, deadLetters } = store.place(name);
    if (!commitChecks.isLimitPassed(name) || deadLetters.allowedTo > offsetNext) continue;
    store.allow(name, log.bounds(topic, partition).end);
  }
}

function isCaughtUp({ store, log }: System, name: string): boolean {
  const newest = log.records(name).at(-1);
  return newest === undefined || store.place(name).offsetNext > newest.offset;
}

function areRoutersEqual({ routers, store }: System): boolean {
  const vector = JSON.stringify(store.hotValues.vector);
  return routers.every(({ poller }) =>
    LANES.every((lane) => JSON.stringify(poller.view?.state.lanes[lane]?.vector) === vector),
  );
}

/**
 * One more record, and no time passes: what follows from it by answers alone must bring it into
 * the hot keys. Nothing may be left to the round that looks after losses.
 */
async function probe(system: System): Promise<void> {
  const { scheduler, log, store, hotKeys, failures } = system;
  scheduler.trace.add(scheduler.nowMs, '-- one more record, and no time passes');
  const outcome = outcomeOf(idOf(8, 1), 1, scheduler.nowMs);
  log.append(TOPICS.outcomes, 0, [singleRecord(outcome)]);
  for (let step = 0; step < STEPS_MAX && (await scheduler.step(false)); step++);
  const state = await hotKeys.state();
  for (const lane of LANES) {
    const what = `${lane} after a commit, at once`;
    failures.equal('I7', what, state?.lanes[lane]?.vector, store.hotValues.vector);
  }
}

async function until(
  system: System,
  invariant: Invariant,
  what: string,
  holds: () => boolean,
): Promise<void> {
  const { scheduler, failures } = system;
  for (let step = 0; step < STEPS_MAX && failures.first === null; step++) {
    if (holds()) return;
    await scheduler.step();
  }
  failures.fail(invariant, `not within ${STEPS_MAX} steps without faults: ${what}`);
}
