import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, expect, it, vi } from 'vitest';
import { wallClock } from '../../src/clock.js';
import { createPool } from '../../src/database/connect.js';
import { startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { schemas } from '../../src/event/schemas.js';
import { createMemoryHotKeys } from '../../src/hotkeys/memory-hot-keys.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { closeBooks } from '../../src/replay/books.js';
import { startProjector } from '../../src/roles/project.js';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';
import { testDatabase } from '../postgres.js';
import { appendBatch, testWorld } from '../project/projection.js';
import { noSmallDisk, smallDisk } from './small-disk.js';

const WAIT = { timeout: 60_000, interval: 100 };
const MODELS = 2_000;
const SESSION = {
  statementTimeoutMs: 60_000,
  lockTimeoutMs: 30_000,
  applicationName: 'airouter test',
};

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
}, 60_000);

/** A database whose tables lie on the disk; its server and WAL lie elsewhere. */
async function databaseOn(path: string): Promise<string> {
  const dataDir = process.env['TEST_POSTGRES_FOLDER']!;
  const { databaseUrl } = await startEmbeddedPostgres({ dataDir });
  const folder = join(path, 'tables');
  mkdirSync(folder, { mode: 0o700 });
  const { uid, gid } = statSync(join(dataDir, 'postgres'));
  chownSync(folder, uid, gid);
  const name = `small_${randomBytes(4).toString('hex')}`;
  const admin = createPool(databaseUrl, { ...SESSION, poolSize: 1 });
  cleanUps.push(async () => {
    await admin.query(`drop database "${name}" with (force)`);
    await admin.query(`drop tablespace "${name}"`);
    await admin.end();
  });
  await admin.query(`create tablespace "${name}" location '${folder}'`);
  await admin.query(`create database "${name}" tablespace "${name}"`);
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  return url.href;
}

it.skipIf(noSmallDisk !== null)(
  'the disk of the tables is full: the projector waits, parks nothing, and goes on when there is room (I1 I4)',
  async () => {
    const disk = smallDisk(64);
    cleanUps.push(() => disk.remove());
    const databaseUrl = await databaseOn(disk.path);
    const pool = createPool(databaseUrl, { ...SESSION, poolSize: 5 });
    cleanUps.push(() => pool.end());
    const database = await testDatabase();
    cleanUps.push(() => database.close());
    const world = await testWorld(database);
    cleanUps.push(() => world.close());
    const warnings: unknown[] = [];
    const projector = await startProjector({
      config: world.config,
      timestampType: 'CreateTime',
      clock: wallClock,
      logger: pino(
        { level: 'warn' },
        { write: (line: string) => void warnings.push(JSON.parse(line)) },
      ),
      metrics: createMetrics(),
      log: world.log,
      topics: world.topics,
      pool,
      databaseUrl,
      schema: 'projection',
      hotKeys: createMemoryHotKeys(),
      onReport: () => {},
      fail: (error) => expect.unreachable(error.message),
    });
    cleanUps.push(() => projector.close());
    const applied = async (): Promise<number> => {
      const { rows } = await pool.query(
        'select coalesce(sum(events), 0)::int as n from projection.outcome_minute',
      );
      return rows[0].n;
    };
    const append = (sequence: number, count: number) =>
      appendBatch(
        world,
        0,
        idOf(1),
        sequence,
        Array.from({ length: count }, (_, n) =>
          outcome({ event_id: idOf(sequence * 10_000 + n), model: `model-${sequence}-${n}` }),
        ),
        START_MS,
      );
    await append(1, 10);
    await vi.waitFor(async () => expect(await applied()).toBe(10), WAIT);

    disk.fill();
    await append(2, MODELS);
    // The log has it; no row can be written.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await applied()).toBe(10);
    disk.free();
    await vi.waitFor(async () => expect(await applied()).toBe(10 + MODELS), WAIT);
    const books = await closeBooks({
      pool,
      schema: 'projection',
      log: world.log,
      readSchemas: async () => schemas,
      topic: world.topics.outcomes,
      table: { name: 'outcome_minute', events: 'events' },
      minuteRetentionMs: world.config.minuteRetentionDays * 86_400_000,
    });
    expect(books[0]).toMatchObject({ read: 10 + MODELS, applied: 10 + MODELS });
  },
);
