import { builtInCatalogue } from '../catalogue/built-in.js';
import type { CatalogueEntry } from '../catalogue/entry.js';
import { importCatalogue } from '../catalogue/import.js';
import type { CommandContext } from '../commands/context.js';
import { foldedTopics } from '../log/topics.js';
import { createHotSource } from '../project/hot-source.js';
import { PROJECTION_VERSION } from '../project/projection-version.js';
import { verify } from '../replay/verify.js';
import type { Parts } from '../roles/parts.js';
import { storedSchemas } from '../roles/schemas.js';
import { type ClosedLoopParts, runClosedLoop, STEP_MS } from './closed-loop.js';
import { CONNECTIONS, type RouteCaller } from './http-caller.js';
import { type DemoResult, Progress, resultOf } from './report.js';
import { Shares } from './shares.js';
import { firstMinutes, readArrivals } from './traces.js';
import type { VirtualClock } from './virtual-clock.js';
import { createWorld } from './world.js';
import { type Appended, createVirtualPublisher } from './writers.js';

export interface TracedLoopOptions {
  context: CommandContext;
  parts: Parts;
  seed: string;
  /** Only the arrivals of the first minutes of the traces; null = all. */
  minutes: number | null;
  clock: VirtualClock;
  caller: RouteCaller;
  /** Writes the decisions of the step's answers to the log. */
  logDecisions(answers: number): Promise<void>;
  /** Told of what the loop appended: the offset after it. */
  onAppended?: Appended;
  /** Resolves when the router decides by everything that is in the log. */
  snapshotCaughtUp(): Promise<void>;
}

export interface TracedLoop {
  loop: ClosedLoopParts;
  /** From the first arrival to the last outcome, then everything counted again. */
  run(): Promise<DemoResult>;
  close(): Promise<void>;
}

/** The closed loop on the traces: the built-in catalogue, the drawn world, a virtual publisher. */
export async function openTracedLoop(options: TracedLoopOptions): Promise<TracedLoop> {
  const { context, parts, seed, minutes, clock, caller } = options;
  const startedMs = performance.now();
  const arrivals = firstMinutes(readArrivals(), minutes);
  const firstMs = arrivals[0]!.atMs;
  const lastMs = arrivals.at(-1)!.atMs;
  clock.set(Math.floor(firstMs / STEP_MS) * STEP_MS);
  const { entries } = builtInCatalogue();
  await importCatalogue(
    { log: parts.log, topic: parts.topics.catalogue, timestampMs: clock.nowMs() },
    entries,
    'built-in',
  );
  const world = createWorld({ seed, firstMs, lastMs, ...offeringsAndPrices(entries) });
  const shares = new Shares();
  const progress = new Progress(context, shares, firstMs, lastMs);
  const publisher = createVirtualPublisher(options, clock);
  const loop: ClosedLoopParts = {
    seed,
    world,
    arrivals,
    firstIndex: 0,
    caller,
    publisher,
    clock,
    logDecisions: options.logDecisions,
    snapshotCaughtUp: options.snapshotCaughtUp,
    shares,
    concurrency: CONNECTIONS,
    stop: context.stop,
    pause: async () => {},
    onStep: (step) => progress.step(step, world.brownout),
  };
  return {
    loop,
    async run() {
      const totals = await runClosedLoop(loop);
      context.stop.throwIfAborted();
      const verification = await countAgain(parts);
      const seconds = (performance.now() - startedMs) / 1000;
      const { brownout } = world;
      return resultOf(totals, verification, shares.of(brownout.provider, brownout), seconds);
    },
    async close() {
      await publisher.close({ deadlineMs: 1_000 });
      caller.close();
    },
  };
}

function countAgain({ pool, schema, log, topics }: Parts) {
  const source = createHotSource(pool, schema, PROJECTION_VERSION, foldedTopics(topics));
  const readSchemas = () => storedSchemas({ log, topics });
  return verify({ pool, schema, log, readSchemas, topics, source, hotKeys: null });
}

/** What a world is made of. */
export function offeringsAndPrices(entries: readonly CatalogueEntry[]) {
  return {
    offerings: entries.flatMap((entry) =>
      entry.record === 'CatalogueOffering' ? [entry.value] : [],
    ),
    prices: entries.flatMap((entry) => (entry.record === 'CataloguePrice' ? [entry.value] : [])),
  };
}
