import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../ops/stack/ports.js';
import { formatUuid, uuidV7 } from '../../src/event/uuid.js';
import { type Certificate, selfSigned } from '../database/tls-server.js';
import { noRedisServer, type RedisServer, startRedis } from '../hotkeys/redis-server.js';
import { noBrokers } from '../log/kafka-brokers.js';
import { type SecureBroker, startSecureBroker } from '../log/secure-broker.js';
import { AiRouter, answerOf, type Environment, sentenceOf, until } from './airouter.js';

const noOpenssl =
  spawnSync('openssl', ['version']).status === 0 ? null : 'openssl is not on the PATH';
const missing = noBrokers ?? noRedisServer ?? noOpenssl;
const skipped = missing === null ? '' : ` (skipped: ${missing})`;

const USER = { name: 'airouter', password: 'canary-of-the-password' };

describe.skipIf(missing !== null)(`Kafka and Redis that ask for TLS and a user${skipped}`, () => {
  const airouter = new AiRouter();
  const folder = mkdtempSync(join(tmpdir(), 'airouter-secure-'));
  let own: Certificate;
  let broker: SecureBroker;
  let redis: RedisServer;
  let environment: Environment;
  beforeAll(async () => {
    own = selfSigned(folder, 'own', 'DNS:localhost');
    const port = await freePort();
    broker = await startSecureBroker(own, USER);
    redis = await startRedis([
      ...['--tls-port', String(port), '--tls-auth-clients', 'no'],
      ...['--tls-cert-file', own.certificateFile, '--tls-key-file', own.keyFile],
      ...['--tls-ca-cert-file', own.certificateFile],
      ...['--user', USER.name, 'on', `>${USER.password}`, '~ar:*', '+@all', '-@dangerous', '+info'],
    ]);
    environment = {
      NODE_EXTRA_CA_CERTS: own.certificateFile,
      KAFKA_BROKERS: broker.brokers,
      KAFKA_SSL: 'true',
      KAFKA_SASL_MECHANISM: 'scram-sha-512',
      KAFKA_SASL_USERNAME: USER.name,
      KAFKA_SASL_PASSWORD: USER.password,
      REDIS_URL: `rediss://${USER.name}:${USER.password}@localhost:${port}`,
    };
  }, 300_000);
  afterAll(async () => {
    await airouter.close();
    await redis?.stop();
    await broker?.stop();
    rmSync(folder, { recursive: true });
  });

  it('are what an outcome passes from ingest to the router (I1, I7, I12)', async () => {
    const dataDir = await airouter.newDataDir();
    const plain = { ...environment, KAFKA_SASL_MECHANISM: 'plain' };
    const made = await airouter.run(dataDir, ['topics', 'create', '--single-node'], plain);
    expect(made).toMatchObject({ code: 0 });
    const all = await airouter.startAll(dataDir, environment);
    expect((await airouter.run(dataDir, ['catalogue', 'import'], plain)).code).toBe(0);
    await until(async () => (await all.ask('/v1/route', { model: 'gpt-4o' })).status === 200);
    const event_id = formatUuid(uuidV7(Date.now(), randomBytes(16)));
    const fields = { model: 'gpt-4o', provider: 'openai', status: 'success', duration_ms: 9 };
    const outcome = { ...fields, event_id, occurred_at: Date.now() };
    expect((await all.ask('/v1/outcomes', { outcomes: [outcome] })).status).toBe(202);
    const counted = async () => {
      const verified = await airouter.run(dataDir, ['verify', '--json'], environment);
      return verified.code === 0 ? answerOf(verified) : {};
    };
    await until(async () => JSON.stringify(await counted()).includes('"applied":1'));
    expect(await counted()).toMatchObject({ books_closed: true, hot_keys_match: true });
    const { code, stdout, stderr } = await all.signal('SIGTERM');
    expect(code).toBe(0);
    expect(stderr.split('Topics are weaker than acknowledged records need.')).toHaveLength(2);
    expect(stdout + stderr).not.toContain(USER.password);
  });

  it.each([
    ['a wrong password', { KAFKA_SASL_PASSWORD: 'canary-of-a-wrong-one' }, /SCRAM.* failed/],
    [
      'a wrong password of PLAIN',
      { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_PASSWORD: 'canary-of-a-wrong-one' },
      /PLAIN authentication failed/,
    ],
    ['an authority that nobody named', { NODE_EXTRA_CA_CERTS: '' }, /self-signed certificate/],
    ['no TLS', { KAFKA_SSL: 'false' }, /Closed connection/],
  ])('with %s Kafka is named in one sentence, and exit code 3 (I12)', async (_, change, reason) => {
    const dataDir = await airouter.newDataDir();
    const ended = await airouter.run(dataDir, ['ingest'], { ...environment, ...change });
    expect(ended.code).toBe(3);
    const sentence = sentenceOf(ended);
    expect(sentence).toContain(`airouter: Kafka at ${broker.brokers}: `);
    expect(sentence).toMatch(reason);
    expect(sentence).not.toContain('canary');
  });

  it('with another name than its certificate has, a broker is not believed', async () => {
    const brokers = broker.brokers.replace('localhost', '127.0.0.1');
    const dataDir = await airouter.newDataDir();
    const change = { KAFKA_BROKERS: brokers };
    const ended = await airouter.run(dataDir, ['ingest'], { ...environment, ...change });
    expect(ended.code).toBe(3);
    expect(sentenceOf(ended)).toContain("does not match certificate's altnames");
  });
});
