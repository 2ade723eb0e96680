import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandContext } from '../commands/context.js';
import type { Parts } from '../roles/parts.js';
import type { Router } from '../roles/route.js';
import { type ClosedLoopParts, runClosedLoop, STEP_MS } from './closed-loop.js';
import type { StepDecisions } from './decisions.js';
import { createRouteCaller } from './http-caller.js';
import { printAnswer } from './report.js';
import { KnownEnds, snapshotHas } from './snapshot-wait.js';
import { openTracedLoop } from './traced-loop.js';
import type { VirtualClock } from './virtual-clock.js';
import { createDecisionWriter } from './writers.js';

export interface DemoParts {
  context: CommandContext;
  parts: Parts;
  router: Router;
  decisions: StepDecisions;
  clock: VirtualClock;
  seed: string;
  /** Only the arrivals of the first minutes of the traces; null = all. */
  minutes: number | null;
  /** End with the last outcome; else go on at real speed until stopped. */
  once: boolean;
}

/** The whole demo against running roles: catalogue, closed loop, checks, answer. */
export async function runDemo(demo: DemoParts): Promise<void> {
  const { context, parts, router } = demo;
  const url = `http://127.0.0.1:${router.port}`;
  const ends = new KnownEnds(parts);
  const traced = await openTracedLoop({
    ...demo,
    caller: createRouteCaller(url),
    logDecisions: createDecisionWriter(demo, demo.clock),
    onAppended: ends.appended,
    snapshotCaughtUp: async () => snapshotHas(router.poller, await ends.current(), context.stop),
  });
  try {
    const result = await traced.run();
    printAnswer(context, result, url);
    if (context.json) context.answer(result);
    if (demo.once) return;
    context.progress(`Going on at real speed on ${url}/ until Ctrl-C.`);
    await goOn(traced.loop, context.stop);
  } finally {
    await traced.close();
  }
}

/** The same arrivals again and again, at real speed, so that the page stays alive. */
async function goOn(loop: ClosedLoopParts, stop: AbortSignal): Promise<void> {
  const spanMs = loop.arrivals.at(-1)!.atMs - loop.arrivals[0]!.atMs + STEP_MS;
  const pause = (): Promise<void> => sleep(STEP_MS, undefined, { signal: stop }).catch(() => {});
  for (let round = 1; !stop.aborted; round++) {
    const shiftMs = Math.ceil(spanMs / STEP_MS) * STEP_MS * round;
    const arrivals = loop.arrivals.map((arrival) => ({ ...arrival, atMs: arrival.atMs + shiftMs }));
    const firstIndex = loop.arrivals.length * round;
    await runClosedLoop({ ...loop, arrivals, firstIndex, pause, onStep: () => {} });
  }
}
