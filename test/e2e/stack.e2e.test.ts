import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { countWithKafka, countWithPython } from '../../ops/soak/foreign-consumers.js';
import { freePort } from '../../src/database/free-port.js';
import { AiRouter, answerOf, type Ended, type Environment, type Running } from './airouter.js';

// The same seed makes the same tables whatever the parts are: the first minutes of the traces, on
// the embedded parts, on the real stack, on mixes, and with roles that come and go.

const LOOP = ['--seed', '1', '--minutes', '6', '--json'];

const airouter = new AiRouter();
afterAll(() => airouter.close());

/** By the variable of the product. */
const SERVICES: Readonly<Record<string, string | undefined>> = {
  KAFKA_BROKERS: process.env['TEST_KAFKA_BROKERS'],
  REDIS_URL: process.env['TEST_REDIS_URL'],
  DATABASE_URL: process.env['TEST_DATABASE_URL'],
};

type Skip = (condition: boolean, reason: string) => void;

/** The settings of these services; a test without one of them is skipped. */
function servicesOf(skip: Skip, ...names: string[]): Environment {
  const missing = names.filter((name) => SERVICES[name] === undefined);
  skip(missing.length > 0, `TEST_${missing.join(', TEST_')} is not set`);
  return Object.fromEntries(names.map((name) => [name, SERVICES[name]!]));
}

const realStack = (skip: Skip) => servicesOf(skip, 'KAFKA_BROKERS', 'REDIS_URL', 'DATABASE_URL');

/** Nobody else's: the services may be used by others. */
const newNamespace = () => `e2e_${randomBytes(4).toString('hex')}`;

/** The text up to the n-th line that tells how far a run is; there is one each two minutes. */
const progress = (lines: number) => new RegExp(`(?:\\d %\\s+\\d+ requests[^]*?){${lines}}`);

interface Run {
  dataDir: string;
  environment: Environment;
  answer: Record<string, unknown>;
}

async function demo(services: Environment): Promise<Run> {
  const dataDir = await airouter.newDataDir();
  const environment = { ...services, AIROUTER_NAMESPACE: newNamespace() };
  const ended = await airouter.run(dataDir, ['demo', '--once', ...LOOP], environment);
  return { dataDir, environment, answer: resultOf(ended) };
}

function resultOf(ended: Ended): Record<string, unknown> {
  expect(ended.stderr).toContain('books closed');
  expect(ended.code).toBe(0);
  return answerOf(ended);
}

/** What does not depend on how fast the parts are. */
function outcomeOf({ requests, events_published, events_applied, checksum }: Run['answer']) {
  return { requests, events_published, events_applied, checksum };
}

/** Each is made once, by the first test that asks for it. */
let embedded: Promise<Run> | null = null;
let real: Promise<Run> | null = null;
const embeddedRun = () => {
  embedded ??= demo({});
  return embedded;
};
const realRun = (services: Environment) => {
  real ??= demo(services);
  return real;
};

/** The records of outcomes, by partition in the order of offsets. */
async function outcomesIn({ dataDir, environment }: Run): Promise<unknown[]> {
  const ended = await airouter.run(dataDir, ['topic', 'cat', 'outcomes'], environment);
  expect(ended.code).toBe(0);
  return ended.stdout
    .trimEnd()
    .split('\n')
    .map((line) => ({ ...(JSON.parse(line) as object), topic: 'outcomes' }));
}

describe('the same seed', () => {
  it('makes the same tables on the real stack as on the embedded parts (I6)', async ({ skip }) => {
    const services = realStack(skip);
    const expected = await embeddedRun();
    expect(expected.answer).toMatchObject({ books_closed: true, duplicates: 0 });
    expect(outcomeOf((await realRun(services)).answer)).toEqual(outcomeOf(expected.answer));
  });

  it('makes the same log: partitions, offsets, times and values (I1, I6)', async ({ skip }) => {
    const services = realStack(skip);
    const expected = await outcomesIn(await embeddedRun());
    expect(expected.length).toBeGreaterThan(100);
    expect(await outcomesIn(await realRun(services))).toEqual(expected);
  });

  it('is made once more from Kafka alone, compared, and takes its own place (I6)', async ({
    skip,
  }) => {
    const { dataDir, environment, answer } = await realRun(realStack(skip));
    const rebuilt = await airouter.run(dataDir, ['rebuild', '--json'], environment);
    const checksum = answer['checksum'];
    expect(answerOf(rebuilt)).toMatchObject({
      equal: true,
      swapped: true,
      checksum_live: checksum,
      checksum_rebuilt: checksum,
    });
    expect(rebuilt.code).toBe(0);
    const verified = await airouter.run(dataDir, ['verify', '--json'], environment);
    expect(answerOf(verified)).toMatchObject({ books_closed: true, checksum });
  });

  it.for(['REDIS_URL', 'KAFKA_BROKERS', 'DATABASE_URL'])(
    'makes the same tables with %s alone, the rest embedded (I6)',
    async (name, { skip }) => {
      const services = servicesOf(skip, name);
      const { answer } = await demo(services);
      expect(outcomeOf(answer)).toEqual(outcomeOf((await embeddedRun()).answer));
    },
  );
});

/** The closed loop with every role in another process. */
interface RemoteLoop {
  load: Running;
  startProjector(): Promise<Running>;
  startRouter(): Promise<Running>;
}

async function remoteLoop(services: Environment): Promise<RemoteLoop> {
  const port = String(await freePort(0));
  const common = { ...services, AIROUTER_NAMESPACE: newNamespace() };
  const routerSettings = { ...common, PORT: port, AIROUTER_POLL_INTERVAL_MS: '10' };
  const url = `http://127.0.0.1:${port}`;
  const args = ['load', '--closed-loop', '--virtual', '--url', url, ...LOOP];
  const load = airouter.start(await airouter.newDataDir(), args, common);
  await load.says(/Waiting for: airouter project/);
  return {
    load,
    startProjector: async () => airouter.start(await airouter.newDataDir(), ['project'], common),
    startRouter: async () =>
      airouter.start(await airouter.newDataDir(), ['route', '--virtual-seed', '1'], routerSettings),
  };
}

describe('roles in processes of their own', () => {
  it('make the same tables though projector and router are killed on the way (I1, I2, I4, I5, I6)', async ({
    skip,
  }) => {
    const { load, startProjector, startRouter } = await remoteLoop(realStack(skip));
    let projector = await startProjector();
    let router = await startRouter();
    await load.says(progress(2));
    await Promise.all([projector.signal('SIGKILL'), router.signal('SIGKILL')]);
    projector = await startProjector();
    router = await startRouter();
    await load.says(progress(3));
    await router.signal('SIGKILL');
    router = await startRouter();
    const answer = resultOf(await load.ended);
    expect(outcomeOf(answer)).toEqual(outcomeOf((await embeddedRun()).answer));
    expect((await projector.signal('SIGTERM')).code).toBe(0);
    expect((await router.signal('SIGTERM')).code).toBe(0);
  });

  it('make the same tables with two projectors, then one, then three (I2, I4, I5, I6)', async ({
    skip,
  }) => {
    const { load, startProjector, startRouter } = await remoteLoop(realStack(skip));
    const router = await startRouter();
    const leaving = await startProjector();
    const projectors = [await startProjector()];
    await load.says(progress(2));
    expect((await leaving.signal('SIGTERM')).code).toBe(0);
    await load.says(progress(3));
    projectors.push(await startProjector(), await startProjector());
    const answer = resultOf(await load.ended);
    expect(outcomeOf(answer)).toEqual(outcomeOf((await embeddedRun()).answer));
    for (const role of [...projectors, router]) {
      expect((await role.signal('SIGTERM')).code).toBe(0);
    }
  });
});

describe('a consumer that is none of ours', () => {
  it("Kafka's own counts the same records (I1)", async ({ skip }) => {
    const services = realStack(skip);
    const run = await realRun(services);
    const counted = await countWithKafka(services['KAFKA_BROKERS']!, topicOf(run));
    if (typeof counted !== 'number') return skip(true, counted.missing);
    expect(counted).toBe((await outcomesIn(run)).length);
  });

  it("in Python, with Kafka's C client and fastavro, counts the same events once each (I1, I2)", async ({
    skip,
  }) => {
    const services = realStack(skip);
    const run = await realRun(services);
    const counted = await countWithPython(services['KAFKA_BROKERS']!, topicOf(run));
    if ('missing' in counted) return skip(true, counted.missing);
    const published = run.answer['events_published'];
    expect(counted).toEqual({
      records: (await outcomesIn(run)).length,
      events: published,
      distinct_event_ids: published,
      broken: 0,
    });
  });
});

function topicOf({ environment }: Run): string {
  return `${environment['AIROUTER_NAMESPACE']}.airouter.outcomes.v1`;
}
