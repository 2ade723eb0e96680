import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { buildNextVersion } from '../../ops/faults/next-version.js';
import { recovered } from '../../ops/soak/campaign.js';
import { compareWithPython } from '../../ops/soak/foreign-consumers.js';
import type { Role } from '../../ops/soak/role.js';
import { RouterProbe } from '../../ops/soak/router-probe.js';
import { openWorld, type World } from '../../ops/soak/world.js';
import { freePorts } from '../../ops/stack/ports.js';
import { silent } from '../../ops/stack/progress.js';
import { noBrokers, serviceEnvironment } from '../log/kafka-brokers.js';

const RATE = 100;
/** Of both versions side by side, each way. */
const MIXED_MS = Number(process.env['UPGRADE_MINUTES'] ?? 5) * 60_000;
const WAIT = { timeout: 180_000, interval: 250 };

interface VersionLine {
  version: number;
  in_force: boolean;
  lag_records: number;
}

let world: World;
let next: ReturnType<typeof buildNextVersion>;
const started: { close(): Promise<unknown> }[] = [];
beforeAll(() => {
  next = buildNextVersion();
}, 120_000);
afterAll(() => next.remove());
// A second try begins with nothing of the first one.
beforeEach(async () => {
  world = await openWorld({
    environment: serviceEnvironment,
    progress: silent,
    seed: 42,
    rate: RATE,
  });
}, 180_000);
afterEach(async () => {
  for (const each of started.splice(0).reverse()) await each.close();
  await world.close();
}, 120_000);

function start(name: string, more: Parameters<World['role']>[1]): Role {
  const role = world.role(name, more);
  started.push({ close: () => role.stop() });
  return role;
}

const versions = async (): Promise<VersionLine[]> =>
  (await world.command('projection', 'list'))['versions'] as VersionLine[];

/** Seconds until readers are pointed at a version. */
async function untilInForce(version: number): Promise<number> {
  const startMs = performance.now();
  const isThere = async () =>
    (await versions()).some((each) => each.version === version && each.in_force);
  await vi.waitUntil(isThere, WAIT);
  return Math.round((performance.now() - startMs) / 1000);
}

const generationOf = async (url: string): Promise<string> =>
  ((await (await fetch(`${url}/readyz`)).json()) as { generation: string }).generation;

/** Both routers answer from the version in force. */
async function untilBothRead(urls: readonly string[], version: number): Promise<void> {
  const read = async () => Promise.all(urls.map(generationOf));
  const expected = new RegExp(`^v${version}\\.`);
  await vi.waitUntil(async () => (await read()).every((each) => expected.test(each)), WAIT);
  expect(new Set(await read()).size).toBe(1);
}

/** Both versions side by side, one projector of each killed on the way. */
async function runMixed(projectors: readonly Role[]): Promise<void> {
  for (const projector of projectors) {
    await sleep(MIXED_MS / (projectors.length + 1));
    await projector.kill();
  }
  await sleep(MIXED_MS / (projectors.length + 1));
}

/** What each version says of the log at rest, beside what a foreign reader finds there. */
async function countAgain() {
  const { writers, ledger, services, outcomesTopic } = world;
  writers.pause();
  await vi.waitUntil(() => ledger.isSettled, WAIT);
  await vi.waitUntil(async () => (await versions()).every((each) => each.lag_records === 0), WAIT);
  await ledger.flush();
  const brokers = services.stack.kafkaBrokers!;
  const foreign = await compareWithPython(brokers, outcomesTopic, ledger.path, next.root);
  if ('missing' in foreign && typeof foreign.missing === 'string') throw new Error(foreign.missing);
  expect(foreign).toMatchObject({ broken: 0, missing: 0, unacknowledged: 0 });
  expect(foreign).toMatchObject({ acknowledged: ledger.acknowledged });
  const found = [];
  for (const command of [world.command, world.commandOf(next.root)]) {
    const verified = await command('verify');
    const rebuilt = await command('rebuild', '--no-swap');
    const books = verified['partitions'] as { applied: number; dead_lettered: number }[];
    expect(verified).toMatchObject({ books_closed: true });
    expect(books.reduce((sum, each) => sum + each.dead_lettered, 0)).toBe(0);
    expect(books.reduce((sum, each) => sum + each.applied, 0)).toBe(
      (foreign as { distinct_event_ids: number }).distinct_event_ids,
    );
    expect(rebuilt).toMatchObject({ equal: true, checksum_live: verified['checksum'] });
    found.push({ checksum: verified['checksum'], match: verified['hot_keys_match'] });
  }
  expect(found[0]!.checksum).not.toBe(found[1]!.checksum);
  writers.resume();
  return found.map(({ match }) => match);
}

it.skipIf(noBrokers !== null)(
  'two versions side by side, each way: both fold all of it, readers are of one, none asks in vain (I1 I2 I6 I7 I10)',
  async () => {
    const { roles, urls } = world;
    const [port] = (await freePorts(1)) as [number];
    const nextUrl = `http://127.0.0.1:${port}`;
    const routers = [urls.route, nextUrl];
    expect(await recovered(world)).toHaveProperty('ms');

    // There: projectors first, readers of either version behind them, emitters last.
    const projector = start('project-next', { root: next.root });
    const seconds = await untilInForce(2);
    const route = start('route-next', { root: next.root, environment: { PORT: String(port) } });
    const probe = new RouterProbe(nextUrl, route);
    started.push(probe);
    await vi.waitUntil(() => probe.hasAnsweredSince(0), WAIT);
    await roles.ingest.stop();
    const ingestPort = new URL(urls.ingest).port;
    const ingest = start('ingest-next', { root: next.root, environment: { PORT: ingestPort } });
    await untilBothRead(routers, 2);
    await runMixed([roles.projectors[0]!, projector]);
    expect(await countAgain()).toEqual([null, true]);

    // And back, while the next version goes on.
    expect(await world.command('projection', 'use', '1')).toEqual({ version: 1, changed: true });
    await untilBothRead(routers, 1);
    await runMixed([projector, roles.projectors[1]!]);
    expect(await countAgain()).toEqual([true, null]);

    // For good.
    await world.command('projection', 'use', '2');
    await untilBothRead(routers, 2);
    expect([...probe.failures, ...world.probe.failures]).toEqual([]);
    const ended = await world.commandOf(next.root)('projection', 'finalize');
    expect(ended).toEqual({ in_force: 2, ended: [1] });
    const wordsOf = ({ ends }: Role) => ends.join('\n');
    await vi.waitUntil(
      () => roles.projectors.every((each) => wordsOf(each).includes('(schema_newer)')),
      WAIT,
    );
    expect(await versions()).toMatchObject([{ version: 2, in_force: true }]);
    for (const each of [projector, route, ingest, roles.route]) expect(wordsOf(each)).toBe('');
    const verified = await world.commandOf(next.root)('verify');
    expect(verified).toMatchObject({ books_closed: true });
    console.log(
      JSON.stringify({ secondsUntilInForce: seconds, events: world.ledger.acknowledged }),
    );
  },
  3 * MIXED_MS + 900_000,
);
