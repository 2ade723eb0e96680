import { expect, it } from 'vitest';
import type { Decision } from '../../src/event/outcome.js';
import { createMetrics, type Metrics } from '../../src/observe/metrics.js';
import {
  createDecisionLog,
  type DecisionTarget,
  httpTarget,
  isKept,
} from '../../src/roles/decision-log.js';
import { accessOf, newKey } from '../access/keys.js';
import { airouter } from '../client/servers.js';
import { idOf, START_MS } from '../fold/outcomes.js';
import { TOPICS } from '../ingest/ingest-app.js';
import { appOf, model, post, snapshot } from '../route/route-app.js';

const decision = (n: number, fields: Partial<Decision> = {}): Decision => ({
  decision_id: idOf(n),
  decided_at: START_MS,
  as_of: START_MS,
  tenant: '',
  policy: '',
  policy_hash: '',
  strategy: 'auto',
  algorithm: 'auto/1',
  state: { generation: '1-db', version: 7, vector: {} },
  request: '{}',
  request_hashed: false,
  unit: 'decision',
  unit_hash: '',
  eligible: [{ offering: 'm|p||', mass: 2 ** 20 }],
  excluded: [],
  slate: ['m|p||'],
  degraded: [],
  ...fields,
});

const logger = { info: () => {}, warn: () => {} };

async function countsOf(metrics: Metrics): Promise<Record<string, number>> {
  const { values } = await metrics.counter('decisionLog').get();
  return Object.fromEntries(values.map(({ labels, value }) => [labels['result'], value]));
}

it('hands the decisions of a router over HTTP to the log, whole', async () => {
  const { url, log } = await airouter();
  const metrics = createMetrics();
  const target = httpTarget(url, null, logger);
  const decisions = createDecisionLog({ target, share: 1, metrics, logger });
  const made: Decision[] = [];
  const onDecision = (one: Decision): void => {
    made.push(one);
    decisions.record(one);
  };
  const { app } = appOf(snapshot, { onDecision });
  for (let n = 0; n < 20; n++) expect((await app.inject(post({ model }))).statusCode).toBe(200);
  await decisions.close({ deadlineMs: 20_000 });
  const logged = log.decoded(TOPICS.decisions).map(({ value }) => value as Decision);
  const byId = (a: Decision, b: Decision) => Buffer.compare(a.decision_id, b.decision_id);
  expect(logged.toSorted(byId)).toEqual(made.toSorted(byId));
  expect(await countsOf(metrics)).toEqual({ delivered: 20 });
});

it('hands over the decisions of every tenant with a key for that, of its own with its own', async () => {
  const router = newKey({ tenant: null });
  const acme = newKey();
  const { url, log } = await airouter(0, accessOf(router.key, acme.key));
  const handOver = async (apiKey: string | null, deadlineMs = 20_000) => {
    const metrics = createMetrics();
    const target = httpTarget(url, apiKey, logger);
    const decisions = createDecisionLog({ target, share: 1, metrics, logger });
    for (const [n, tenant] of ['acme', 'globex', ''].entries()) {
      decisions.record(decision(n, { tenant }));
    }
    await decisions.close({ deadlineMs });
    return countsOf(metrics);
  };
  expect(await handOver(router.text)).toEqual({ delivered: 3 });
  const tenants = log.decoded(TOPICS.decisions).map(({ value }) => (value as Decision).tenant);
  expect(tenants.toSorted()).toEqual(['', 'acme', 'globex']);
  expect(await handOver(acme.text)).toEqual({ delivered: 1, refused: 2 });
  // Refused for its key, it tries until it must give up.
  expect(await handOver(null, 500)).not.toHaveProperty('delivered');
});

it('I11 never waits: while the log is away it keeps what fits, and counts what it drops', async () => {
  const metrics = createMetrics();
  const target: DecisionTarget = { deliver: () => new Promise(() => {}), close: () => {} };
  const decisions = createDecisionLog({ target, share: 1, metrics, logger });
  for (let n = 0; n < 10_007; n++) decisions.record(decision(n));
  expect(await countsOf(metrics)).toEqual({ queue_full: 7 });
  await decisions.close({ deadlineMs: 1 });
  decisions.record(decision(1));
  expect(await countsOf(metrics)).toEqual({ queue_full: 7, closed: 10_000, after_close: 1 });
});

it('I11 large decisions fill its memory by their bytes', async () => {
  const metrics = createMetrics();
  const target: DecisionTarget = { deliver: () => new Promise(() => {}), close: () => {} };
  const decisions = createDecisionLog({ target, share: 1, metrics, logger });
  const excluded = Array.from({ length: 5_000 }, () => ({ offering: 'm|p||', reason: 'tried' }));
  for (let n = 0; n < 200; n++) decisions.record(decision(n, { excluded }));
  expect((await countsOf(metrics))['queue_full']).toBeGreaterThan(50);
  await decisions.close({ deadlineMs: 1 });
});

it('hands the same batch over again, and says once that the log is away', async () => {
  const lines: string[] = [];
  const log = (fields: unknown, text?: unknown) => void lines.push(String(text ?? fields));
  const batches: string[] = [];
  const target: DecisionTarget = {
    async deliver(decisions) {
      batches.push(decisions.map((one) => Buffer.from(one.decision_id).toString('hex')).join());
      if (batches.length < 4) throw new Error('away');
      return { refused: 0 };
    },
    close: () => {},
  };
  const metrics = createMetrics();
  const decisions = createDecisionLog({
    target,
    share: 1,
    metrics,
    logger: { info: log, warn: log },
  });
  decisions.record(decision(1));
  decisions.record(decision(2));
  await decisions.close({ deadlineMs: 10_000 });
  expect(batches).toHaveLength(4);
  expect(new Set(batches).size).toBe(1);
  expect(lines).toEqual([
    'Decisions do not reach the log; they wait.',
    'Decisions reach the log again.',
  ]);
});

it('keeps the share that it is told, the same decisions wherever they are asked for', () => {
  const ids = Array.from({ length: 4_000 }, (_, n) => idOf(n));
  const kept = (share: number) => ids.filter((id) => isKept(id, share));
  expect(kept(0)).toHaveLength(0);
  expect(kept(1)).toHaveLength(4_000);
  const quarter = kept(0.25);
  expect(Math.abs(quarter.length - 1_000)).toBeLessThan(150);
  expect(new Set(kept(0.5))).toEqual(new Set([...kept(0.5), ...quarter]));
});
