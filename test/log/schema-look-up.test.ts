import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeRecord } from '../../src/event/encode.js';
import { readShippedSchemas, Schemas } from '../../src/event/schemas.js';
import { createSchemaLookUp } from '../../src/log/schema-look-up.js';
import { createSchemaRegistry } from '../../src/log/schema-registry.js';
import { SchemaTopic } from '../../src/log/schema-topic.js';
import { MemoryLog } from './memory-log.js';
import { type RegistryServer, registryServer } from './schema-registry-server.js';

const outcome = readShippedSchemas()[0]!.text;
const other = JSON.stringify({ type: 'record', name: 'com.example.Other', fields: [] });
const TOPIC = 'schemas';

let log: MemoryLog;
let registry: RegistryServer;
beforeEach(async () => {
  log = new MemoryLog();
  registry = await registryServer();
});
afterEach(() => registry.close());

/** One process. */
function reader(url: string | null = null) {
  const schemas = new Schemas();
  const topic = new SchemaTopic({ log, topic: TOPIC, schemas });
  const lookUp = createSchemaLookUp(
    schemas,
    topic,
    url === null ? null : createSchemaRegistry(url),
  );
  return { schemas, topic, lookUp };
}

const recordOf = (id: number) => (writer: ReturnType<Schemas['writer']>) =>
  writer === undefined ? undefined : writer === 'unknown' ? 'unknown' : `${writer.record} ${id}`;
const seen = ({ schemas }: { schemas: Schemas }, id: number) => recordOf(id)(schemas.writer(id));

describe('the topic of schemas', () => {
  it('I6 gives an id to the first record that names it, whoever reads and whenever', async () => {
    const early = reader();
    expect(await early.topic.append(() => ({ id: 100, subject: '', schema: outcome }))).toBe(true);
    expect(await reader().topic.append(() => ({ id: 100, subject: '', schema: other }))).toBe(
      false,
    );
    // One that was appended at the same moment.
    const value = encodeRecord('Schema', { id: 100, subject: '', schema: other });
    await log.append(TOPIC, 0, [{ key: null, value }]);
    const late = reader();
    for (const each of [early, late]) {
      await each.topic.readToEnd();
      expect(seen(each, 100)).toBe('RequestOutcome 100');
    }
  });

  it('chooses ids one after the other, also for two that ask at once', async () => {
    const choose = (highest: number) => ({
      id: Math.max(99, highest) + 1,
      subject: '',
      schema: other,
    });
    const { topic, schemas } = reader();
    await Promise.all([topic.append(choose), topic.append(choose)]);
    expect([schemas.writer(100), schemas.writer(101)]).toEqual(['unknown', 'unknown']);
  });

  it('passes over what is no schema, and over ids that are not for others', async () => {
    const shipped = encodeRecord('Schema', { id: 1, subject: '', schema: other });
    await log.append(TOPIC, 0, [
      { key: null, value: null },
      { key: null, value: Buffer.from('x') },
      { key: null, value: shipped },
      { key: null, value: encodeRecord('Schema', { id: 100, subject: '', schema: 'no schema' }) },
    ]);
    const each = reader();
    await each.lookUp([100]);
    expect(seen(each, 1)).toBe('RequestOutcome 1');
    expect(each.schemas.refusal(100)).toMatch(/JSON/);
  });

  it('is read again where it was made anew', async () => {
    const each = reader();
    await each.topic.append(() => ({ id: 100, subject: '', schema: outcome }));
    await each.topic.append(() => ({ id: 101, subject: '', schema: outcome }));
    log.empty(TOPIC, 0);
    await reader().topic.append(() => ({ id: 102, subject: '', schema: other }));
    await each.lookUp([102]);
    expect(seen(each, 102)).toBe('unknown');
  });
});

describe('looking up an id', () => {
  it('reads the topic up to the end that it has by then', async () => {
    const each = reader();
    await each.lookUp([100]);
    expect(seen(each, 100)).toBeUndefined();
    await reader().topic.append(() => ({ id: 100, subject: '', schema: outcome }));
    await each.lookUp([100]);
    expect(seen(each, 100)).toBe('RequestOutcome 100');
  });

  it('I6 keeps what the registry answered in the log: it is asked once, ever', async () => {
    registry.schemas.set(7_000, outcome);
    const first = reader(registry.url);
    await first.lookUp([7_000]);
    await first.lookUp([7_000]);
    expect(seen(first, 7_000)).toBe('RequestOutcome 7000');
    // It changes its mind, and is gone after that.
    registry.schemas.set(7_000, other);
    const second = reader(registry.url);
    await second.lookUp([7_000]);
    const third = reader();
    await third.lookUp([7_000]);
    expect([seen(second, 7_000), seen(third, 7_000)]).toEqual([
      'RequestOutcome 7000',
      'RequestOutcome 7000',
    ]);
    expect(registry.asked).toEqual(['/schemas/ids/7000']);
  });

  it('asks the registry for no id of a newer version: the topic says it, or nobody', async () => {
    registry.schemas.set(13, outcome);
    const each = reader(registry.url);
    await each.lookUp([13]);
    expect(seen(each, 13)).toBeUndefined();
    expect(registry.asked).toEqual([]);
    await reader().topic.append(() => ({ id: 13, subject: '', schema: outcome }));
    await each.lookUp([13]);
    expect(seen(each, 13)).toBe('RequestOutcome 13');
  });

  it('leaves an id unknown that the registry does not have', async () => {
    const each = reader(registry.url);
    await each.lookUp([7_001]);
    expect(seen(each, 7_001)).toBeUndefined();
    expect(log.records(TOPIC, 0)).toEqual([]);
  });

  it('does not write what is too large to be read: it is refused for that', async () => {
    registry.schemas.set(7_002, JSON.stringify('x'.repeat(300_000)));
    const each = reader(registry.url);
    await each.lookUp([7_002]);
    expect(each.schemas.refusal(7_002)).toMatch(/over 262144 bytes/);
    expect(log.records(TOPIC, 0)).toEqual([]);
  });
});

describe('a registry that does not answer', () => {
  const answers: [string, RegistryServer['instead'], RegExp][] = [
    ['an error', (response) => response.writeHead(500).end('no'), /status 500/],
    ['a refusal of access', (response) => response.writeHead(401).end(), /status 401/],
    ['a page', (response) => response.end('<html>'), /no JSON/],
    ['no schema', (response) => response.end('{"subject":"x"}'), /no schema/],
    ['null', (response) => response.end('null'), /no schema/],
    ['too much', (response) => response.end('x'.repeat(2_000_000)), /over 1048576 bytes/],
    ['nothing, in time', () => {}, /in time/],
    ['half of it', (response) => response.write('{"sch', () => response.destroy()), /./],
  ];

  it.each(answers)(
    'but with %s is tried again: nothing is parked for it',
    async (_, instead, reason) => {
      registry.instead = instead;
      await expect(createSchemaRegistry(registry.url, 500).schema(100)).rejects.toMatchObject({
        code: 'schema_registry_unavailable',
        message: expect.stringMatching(reason),
      });
    },
  );

  it('I12 is not named with its address, its user or its password', async () => {
    const url = new URL(`${registry.url}/base/`);
    url.username = 'reader';
    url.password = 's%2Fcret';
    registry.schemas.set(100, outcome);
    expect(await createSchemaRegistry(url.href).schema(100)).toBe(outcome);
    const basic = Buffer.from('reader:s/cret').toString('base64');
    expect(registry.asked).toEqual([`/base/schemas/ids/100 Basic ${basic}`]);
    await registry.close();
    const error = await createSchemaRegistry(url.href)
      .schema(100)
      .catch((caught) => caught);
    expect(error.message).toMatch(/^the schema registry cannot be asked for id 100: ECONNREFUSED$/);
    expect(error.cause).toBeUndefined();
    registry = await registryServer();
  });
});
