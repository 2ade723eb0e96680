import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Asked, type DigestFile, decideAll } from '../../ops/test/decide-digest.js';
import { createRedisHotKeys } from '../../src/hotkeys/redis-hot-keys.js';
import { packageRoot } from '../../src/package-root.js';
import type { SavedState } from '../../src/route/recompute.js';
import { noRedisServer, rawClient, startRedis } from '../hotkeys/redis-server.js';
import { AS_OF } from '../route/fixtures.js';
import { randomOf, randomRequest, randomWorld } from '../route/random-world.js';
import { AiRouter, type Running, until } from './airouter.js';

const run = promisify(execFile);
const REQUESTS = 10_000;
const SEED = '20261123';
const given = process.env['TEST_REDIS_URL'];
const reason = given === undefined ? noRedisServer : null;
const airouter = new AiRouter();
const agent = new Agent({ keepAlive: true, maxSockets: 24 });
afterAll(async () => {
  agent.destroy();
  await airouter.close();
});

const random = randomOf(20_261_123);
const world = randomWorld(random);
const asked: Asked[] = Array.from({ length: REQUESTS }, (_, i) => ({
  request: randomRequest(random, world, `r${i}`),
  atMs: AS_OF * 1000 + Math.floor(i / 10),
}));

describe.skipIf(reason !== null)(
  `replicas${reason === null ? '' : ` (skipped: ${reason})`}`,
  () => {
    const namespace = `t${randomBytes(4).toString('hex')}`;
    let server: Awaited<ReturnType<typeof startRedis>> | null = null;
    let redisUrl: string;
    let routers: Running[];

    const start = async (): Promise<Running> => {
      const environment = { REDIS_URL: redisUrl, AIROUTER_NAMESPACE: namespace };
      const dataDir = await airouter.newDataDir();
      const router = airouter.start(dataDir, ['route', '--virtual-seed', SEED], environment);
      await until(async () => (await router.ask('/readyz')).status === 200);
      return router;
    };

    beforeAll(async () => {
      server = given === undefined ? await startRedis() : null;
      redisUrl = given ?? server!.url;
      await fill(redisUrl, namespace);
      routers = await Promise.all([start(), start(), start()]);
    });
    afterAll(async () => {
      if (redisUrl === undefined) return;
      const raw = rawClient(redisUrl);
      const keys = await raw.keys(`${namespace}:*`);
      if (keys.length > 0) await raw.del(...keys);
      raw.disconnect();
      await server?.stop();
    });

    it('I8 three replicas, and a restarted one, answer with the same bytes', async () => {
      const saved = JSON.parse((await routers[0]!.ask('/v1/state')).body) as SavedState;
      const some = asked.slice(0, 300);
      const expected = [...decideAll({ state: saved, seed: SEED, asked: some })].map(withoutAge);
      const urls = await Promise.all(routers.map((router) => router.url()));
      const answers = (url: string) => Promise.all(some.map((it) => ask(url, it)));
      for (const url of urls) expect(await answers(url)).toEqual(expected);
      expect(expected.filter((answer) => answer.startsWith('{')).length).toBeGreaterThan(150);

      await routers[1]!.signal('SIGKILL');
      expect(await answers(await (await start()).url())).toEqual(expected);
    });

    it('I8 10,000 decisions are computed again from a saved state, alike in every process', async () => {
      const state = JSON.parse((await routers[0]!.ask('/v1/state')).body) as SavedState;
      const file: DigestFile = { state, seed: SEED, asked };
      const path = join(await mkdtemp(join(tmpdir(), 'airouter-digest-')), 'file.json');
      await writeFile(path, JSON.stringify(file));
      const hash = createHash('sha256');
      for (const answer of decideAll(file)) hash.update(`${answer}\n`);
      const own = hash.digest('hex');
      const elsewhere = [{ TZ: 'Asia/Tokyo', LANG: 'tr_TR.UTF-8' }, { TZ: 'America/Lima' }, {}];
      const digests = await Promise.all(
        elsewhere.map(async (environment) => {
          const program = join(packageRoot, 'dist', 'ops', 'test', 'decide-digest.js');
          const env = { PATH: process.env['PATH'], ...environment };
          return (await run(process.execPath, [program, path], { env })).stdout;
        }),
      );
      expect(digests).toEqual([own, own, own]);
      await rm(dirname(path), { recursive: true });
    });
  },
);

/** Writes the world as a projector does. */
async function fill(url: string, namespace: string): Promise<void> {
  const logger = { info: () => {}, warn: () => {} };
  const hotKeys = createRedisHotKeys({ urls: [url], namespace, logger });
  const generation = 'v1.replicas';
  const next = { version: 7, vector: { outcomes: [3, 4] }, writtenAtMs: AS_OF * 1000 };
  const metrics = new Map([...world.values].filter(([key]) => key !== 'health'));
  const health = new Map([['health', world.values.get('health')!]]);
  await hotKeys.write(generation, null, { lane: 'metrics', next, values: metrics, complete: true });
  const state = await hotKeys.state(generation);
  await hotKeys.write(generation, state, { lane: 'health', next, values: health, complete: true });
  await hotKeys.setGeneration(null, generation);
  await hotKeys.close();
}

/** The answer without its age; of an error its code. */
function ask(url: string, { request: body, atMs }: Asked): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'x-airouter-virtual-time': String(atMs),
    };
    const sent = request(`${url}/v1/route`, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve(response.statusCode === 200 ? withoutAge(text) : JSON.parse(text).code);
      });
    });
    sent.on('error', reject);
    sent.end(JSON.stringify(body));
  });
}

const withoutAge = (body: string): string => body.replace(/,"age_ms":(\d+|null)\}/, '}');
