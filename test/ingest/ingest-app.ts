import type { FastifyInstance, InjectOptions } from 'fastify';
import type { Access } from '../../src/access/access.js';
import { localAccess } from '../../src/access/local-access.js';
import { registerIngest } from '../../src/ingest/app.js';
import { RecordWriter, type RecordWriterOptions } from '../../src/ingest/record-writer.js';
import { topicsOf } from '../../src/log/topics.js';
import { createServer } from '../../src/route/server.js';
import { START_MS } from '../fold/outcomes.js';
import { FakeLog } from './fake-log.js';

export const TOPICS = topicsOf('');
const PARTITIONS = 3;

export interface TestIngest {
  app: FastifyInstance;
  log: FakeLog;
  writer: RecordWriter;
}

/** The ingest routes on a log that does as it is told. */
export function ingestApp(
  log = new FakeLog(),
  options: Partial<RecordWriterOptions> = {},
  access: Access = localAccess,
): TestIngest {
  const app = createServer({ error: () => {} });
  return { app, log, writer: registerIngestOn(app, log, options, access) };
}

/** Adds the ingest routes to a server. */
export function registerIngestOn(
  app: FastifyInstance,
  log = new FakeLog(),
  options: Partial<RecordWriterOptions> = {},
  access: Access = localAccess,
): RecordWriter {
  const writer = new RecordWriter({
    log,
    outcomesTopic: TOPICS.outcomes,
    publisherId: () => Buffer.alloc(16, 7),
    acknowledgeMs: 5_000,
    heldBytesMax: 64 * 1024 * 1024,
    retry: { initialMs: 1, maxMs: 2 },
    logger: { info: () => {}, warn: () => {} },
    ...options,
  });
  const { outcomes, summaries, inflight, decisions } = TOPICS;
  const partitions = new Map(
    [outcomes, summaries, inflight, decisions].map((topic) => [topic, PARTITIONS]),
  );
  const clock = { nowMs: () => START_MS };
  registerIngest(app, {
    writer,
    places: { topics: TOPICS, partitions },
    bodiesBytesMax: 64 * 1024 * 1024,
    clock,
    access,
    metrics: null,
  });
  return writer;
}

export function postTo(url: string, payload: unknown): InjectOptions {
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json' },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  };
}

/** Text of the UUID of a number. */
export function uuid(n: number): string {
  return `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** The least that makes an outcome. */
export function item(n: number, fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    event_id: uuid(n),
    occurred_at: START_MS,
    model: `model-${n % 7}`,
    provider: 'openai',
    duration_ms: 900,
    http_status: 200,
    ...fields,
  };
}

export function decision(n: number, fields: Record<string, unknown> = {}): object {
  return {
    decision_id: uuid(n),
    decided_at: START_MS,
    as_of: START_MS,
    strategy: 'auto',
    algorithm: 'auto/1',
    state: { generation: '1-db', version: 7, vector: { outcomes: [3, 4] } },
    request: '{"model":"m"}',
    unit: 'decision',
    eligible: [{ offering: 'm|openai||', mass: 2 ** 20 }],
    slate: ['m|openai||'],
    ...fields,
  };
}
