import { setTimeout as sleep } from 'node:timers/promises';
import { builtInCatalogue } from '../catalogue/built-in.js';
import type { CatalogueEntry } from '../catalogue/entry.js';
import { importCatalogue } from '../catalogue/import.js';
import type { CommandContext } from '../commands/context.js';
import type { HotKeys } from '../hotkeys/port.js';
import { foldedTopics } from '../log/topics.js';
import { createHotSource } from '../project/hot-source.js';
import { PROJECTION_VERSION } from '../project/projection-version.js';
import { verify } from '../replay/verify.js';
import type { Parts } from '../roles/parts.js';
import type { Router } from '../roles/route.js';
import { type ClosedLoopParts, runClosedLoop, STEP_MS } from './closed-loop.js';
import type { StepDecisions } from './decisions.js';
import { createHttpCaller } from './http-caller.js';
import { Progress, printAnswer, resultOf } from './report.js';
import { Shares } from './shares.js';
import { snapshotHas } from './snapshot-wait.js';
import { readArrivals } from './traces.js';
import { createWorld } from './world.js';
import { createDecisionWriter, createDemoPublisher } from './writers.js';

export interface DemoParts {
  context: CommandContext;
  parts: Parts;
  router: Router;
  hotKeys: HotKeys;
  decisions: StepDecisions;
  seed: string;
  /** End with the last outcome; else go on at real speed until stopped. */
  once: boolean;
}

/** Requests in flight at once: enough to keep the router busy, few enough to keep a core free. */
const CONNECTIONS = 8;

/** The whole demo against running roles: catalogue, closed loop, checks, answer. */
export async function runDemo(demo: DemoParts): Promise<void> {
  const { context, parts, router, seed } = demo;
  const startedMs = performance.now();
  const arrivals = readArrivals();
  const firstMs = arrivals[0]!.atMs;
  const lastMs = arrivals.at(-1)!.atMs;
  let nowMs = Math.floor(firstMs / STEP_MS) * STEP_MS;
  const entries = builtInCatalogue().entries;
  await importCatalogue(
    { log: parts.log, topic: parts.topics.catalogue, timestampMs: nowMs },
    entries,
    'built-in',
  );
  const publisher = createDemoPublisher(demo, () => nowMs);
  const logDecisions = createDecisionWriter(demo, () => nowMs);
  const caller = createHttpCaller(router.port, CONNECTIONS);
  const shares = new Shares();
  const progress = new Progress(context, shares, firstMs, lastMs);
  const world = createWorld({ seed, firstMs, lastMs, ...offeringsAndPrices(entries) });
  const loop: ClosedLoopParts = {
    seed,
    world,
    arrivals,
    firstIndex: 0,
    caller,
    publisher,
    logDecisions,
    setNowMs(ms) {
      nowMs = ms;
    },
    snapshotCaughtUp: () => snapshotHas(router.poller, parts, context.stop),
    shares,
    concurrency: CONNECTIONS,
    stop: context.stop,
    pause: async () => {},
    onStep: (step) => progress.step(step, world.brownout),
  };
  try {
    const totals = await runClosedLoop(loop);
    context.stop.throwIfAborted();
    const { pool, schema, log, topics } = parts;
    const source = createHotSource(pool, schema, PROJECTION_VERSION, foldedTopics(topics));
    const verification = await verify({ pool, schema, log, topics, source, hotKeys: null });
    const seconds = (performance.now() - startedMs) / 1000;
    const result = resultOf(
      totals,
      verification,
      shares.of(world.brownout.provider, world.brownout),
      seconds,
    );
    printAnswer(context, result, router.port);
    if (!demo.once) await goOn(demo, loop);
  } finally {
    await publisher.close({ deadlineMs: 1_000 });
    caller.close();
  }
}

/** The same arrivals again and again, at real speed, so that the page stays alive. */
async function goOn({ context, router }: DemoParts, loop: ClosedLoopParts): Promise<void> {
  context.progress(`Going on at real speed on http://127.0.0.1:${router.port}/ until Ctrl-C.`);
  const spanMs = loop.arrivals.at(-1)!.atMs - loop.arrivals[0]!.atMs + STEP_MS;
  const pause = (): Promise<void> =>
    sleep(STEP_MS, undefined, { signal: context.stop }).catch(() => {});
  for (let round = 1; !context.stop.aborted; round++) {
    const shiftMs = Math.ceil(spanMs / STEP_MS) * STEP_MS * round;
    const arrivals = loop.arrivals.map((arrival) => ({ ...arrival, atMs: arrival.atMs + shiftMs }));
    const firstIndex = loop.arrivals.length * round;
    await runClosedLoop({ ...loop, arrivals, firstIndex, pause, onStep: () => {} });
  }
}

function offeringsAndPrices(entries: readonly CatalogueEntry[]) {
  return {
    offerings: entries.flatMap((entry) =>
      entry.record === 'CatalogueOffering' ? [entry.value] : [],
    ),
    prices: entries.flatMap((entry) => (entry.record === 'CataloguePrice' ? [entry.value] : [])),
  };
}
