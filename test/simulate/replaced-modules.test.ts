import { expect, it } from 'vitest';
import { readSources } from '../tidy/source.js';

// The simulation proves something only about code that it runs.

/** What a simulated service stands for: the adapters of one port. */
const REPLACED: Readonly<Record<string, readonly RegExp[]>> = {
  // LogWriter, LogReader, LogAdmin, LogConsumer. The feed of a partition is not part of them.
  'ops/simulate/simulated-log.ts': [/^src\/log\/(?:embedded|kafka)-[\w-]+\.ts$/],
  // ProjectionStore and HotSource.
  'ops/simulate/simulated-store.ts': [
    /^src\/project\/(?:projection-store|projection-version|checkpoint|highs|upsert|commit-rows|parked)\.ts$/,
    /^src\/project\/(?:array-literal|combined-statement|time-partitions|retention|rollup)\.ts$/,
    /^src\/project\/(?:hot-source|versions|health-value|catalogue-values|database-figures)\.ts$/,
  ],
  // HotKeys. What stands behind the simulated network is the product's own adapter in memory.
  'ops/simulate/simulated-hot-keys.ts': [/^src\/hotkeys\/(?:redis|loopback)-[\w-]+\.ts$/],
};

/** Used by nothing but what is replaced. */
const PARTS_OF_ADAPTERS = [
  /^src\/hotkeys\/(?:wire\.ts|lua\/)/,
  /^src\/log\/(?:within|open-consumers)\.ts$/,
  // The client of a service that is not simulated.
  /^src\/log\/schema-registry\.ts$/,
];

/** Loaded, but not at work: publishers are simulated without a disk. */
const SWITCHED_OFF: Readonly<Record<string, string>> = {
  'src/publish/spool.ts': 'test/publish/publisher-property.test.ts',
  'src/publish/partition-spool.ts': 'test/publish/publisher-property.test.ts',
};

const STAGES = /^src\/(?:pipeline\.ts|(?:event|publish|log|fold|project|hotkeys)\/)/;
const sources = new Map(readSources('src', 'ops', 'bench').map((each) => [each.path, each]));

/** All files that run when one of these does. */
function runWith(...paths: string[]): Set<string> {
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const { target, isOwn, isTypeOnly } of sources.get(path)?.imports ?? []) {
      if (isOwn && !isTypeOnly) visit(target);
    }
  };
  for (const path of paths) visit(path);
  return reached;
}

const product = runWith(
  'src/roles/project.ts',
  'src/roles/parts.ts',
  'src/publish/publisher.ts',
  'src/hotkeys/poller.ts',
);
const simulated = runWith('ops/simulate/simulation.ts');
const left = [...product].filter((path) => STAGES.test(path) && !simulated.has(path));

it('runs every module between an outcome and the hot keys but the adapters of three ports', () => {
  const isReplaced = (path: string) =>
    [...Object.values(REPLACED).flat(), ...PARTS_OF_ADAPTERS].some((each) => each.test(path));
  expect(left.filter((path) => !isReplaced(path))).toEqual([]);
});

it('lists no module as replaced that it runs, and has each that takes the place', () => {
  for (const pattern of [...Object.values(REPLACED).flat(), ...PARTS_OF_ADAPTERS]) {
    expect(left.some((path) => pattern.test(path))).toBe(true);
    expect([...simulated].filter((path) => pattern.test(path))).toEqual([]);
  }
  expect([...simulated]).toEqual(expect.arrayContaining(Object.keys(REPLACED)));
  expect([...simulated]).toEqual(expect.arrayContaining(Object.keys(SWITCHED_OFF)));
});
