import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { formatUuid, uuidV7 } from '../../src/event/uuid.js';
import { AiRouter, type Environment, until } from '../e2e/airouter.js';
import { type Answers, offer } from './raw-callers.js';

// Three times the load that there is room for: what is taken is answered in time, and what is
// answered stays near what can be answered at best. Callers and product share the machine, so that
// only ratios say something.

const airouter = new AiRouter();
afterAll(() => airouter.close());

/** In turns with the load at best: the machine is not always the same. */
const ROUNDS = 3;
const SECONDS = 4;
/** Of callers that are as many as the machine needs to be busy. */
const CONNECTIONS_AT_BEST = 64;
const OVERLOAD = 3;
const GOODPUT_MIN = 0.8;
/** Of the answers, those that a caller with a limit no longer waits for. */
const LATE_MAX = 0.01;

function requestOf(path: string, body: unknown): Buffer {
  const text = JSON.stringify(body);
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}

const ROUTE = requestOf('/v1/route', { model: 'gpt-4o' });
const OUTCOMES = requestOf('/v1/outcomes', {
  outcomes: Array.from({ length: 50 }, (_, n) => ({
    event_id: formatUuid(uuidV7(Date.now(), randomBytes(16))),
    occurred_at: Date.now(),
    model: `model-${n}`,
    provider: 'openai',
    duration_ms: 500,
  })),
});

/** One for each try: projectors of one namespace share its partitions, whatever their tables. */
function newEnvironment(): Environment {
  const brokers = process.env['TEST_KAFKA_BROKERS'];
  if (brokers === undefined) return {};
  const namespace = `load_${randomBytes(4).toString('hex')}`;
  return { KAFKA_BROKERS: brokers, AIROUTER_NAMESPACE: namespace };
}

/** As long as callers wait: what decides is asked before each request, what records is not. */
const DECISION_LIMIT_MS = 2_000;
const OUTCOMES_LIMIT_MS = 10_000;

describe.each([
  ['decisions', ROUTE, 200, 512, DECISION_LIMIT_MS],
  ['decisions, of ever more callers', ROUTE, 200, 4_096, DECISION_LIMIT_MS],
  ['outcomes', OUTCOMES, 202, 512, OUTCOMES_LIMIT_MS],
] as const)('three times the %s that there is room for', (name, request, good, many, limitMs) => {
  it('are answered in time or refused, and as many as at best', async () => {
    const dataDir = await airouter.newDataDir();
    const environment = newEnvironment();
    const all = await airouter.startAll(dataDir, environment);
    expect((await airouter.run(dataDir, ['catalogue', 'import'], environment)).code).toBe(0);
    await until(async () => (await all.ask('/v1/route', { model: 'gpt-4o' })).status === 200);
    const port = Number(new URL(await all.url()).port);
    const load = (rate: number | null, connections: number): Promise<Answers> =>
      offer(port, request, good, { rate, connections, seconds: SECONDS, limitMs });

    await load(null, CONNECTIONS_AT_BEST);
    const best: Answers[] = [];
    const over: Answers[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const atBest = await load(null, CONNECTIONS_AT_BEST);
      best.push(atBest);
      over.push(await load(OVERLOAD * atBest.good, many));
    }
    const goodput = Math.round((100 * sum(over, 'good')) / sum(best, 'good')) / 100;
    process.stderr.write(`${JSON.stringify({ name, connections: many, goodput, best, over })}\n`);
    expect(sum(over, 'offered')).toBeGreaterThan((OVERLOAD - 0.5) * sum(best, 'good'));
    expect(sum(over, 'broken')).toBe(0);
    expect(sum(over, 'late')).toBeLessThanOrEqual(LATE_MAX * sum(over, 'good'));
    expect(goodput).toBeGreaterThan(GOODPUT_MIN);
    expect((await all.signal('SIGTERM')).code).toBe(0);
  });
});

const sum = (runs: readonly Answers[], count: 'offered' | 'good' | 'late' | 'broken'): number =>
  runs.reduce((total, answers) => total + answers[count], 0);
