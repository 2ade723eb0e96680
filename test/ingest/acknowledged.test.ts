import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Answer, FakeLog } from './fake-log.js';
import { ingestApp, item, postTo, TOPICS } from './ingest-app.js';

const answers: fc.Arbitrary<Answer[]> = fc.array(
  fc.constantFrom<Answer>('ack', 'ack', 'ack', 'lost', 'unsaid'),
  { maxLength: 60 },
);

/** Callers at once, each with bodies one after the other; ids overlap between them. */
const callers: fc.Arbitrary<number[][][]> = fc.array(
  fc.array(fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 12 }), {
    maxLength: 6,
  }),
  { minLength: 1, maxLength: 6 },
);

it('I1 I2 whatever the log does: what was acknowledged is in it, and counts exactly once', async () => {
  let answered503 = 0;
  await fc.assert(
    fc.asyncProperty(answers, callers, async (script, bodiesOfCallers) => {
      const log = new FakeLog();
      const { app, writer } = ingestApp(log, { acknowledgeMs: 3, random: () => 0 });
      log.answer = () => script.shift() ?? 'ack';
      const acknowledged = new Set<string>();
      const send = async (ids: number[]): Promise<void> => {
        const items = ids.map((id) => item(id));
        // As a client does: the same items again until they are acknowledged.
        for (;;) {
          const answer = await app.inject(postTo('/v1/outcomes', { outcomes: items }));
          if (answer.statusCode === 202) break;
          expect(answer.statusCode).toBe(503);
          answered503 += 1;
        }
        const written = new Set(log.eventIds(TOPICS.outcomes));
        for (const { event_id } of items) {
          expect(written).toContain(event_id);
          acknowledged.add(event_id as string);
        }
      };
      await Promise.all(
        bodiesOfCallers.map(async (bodies) => {
          for (const ids of bodies) await send(ids);
        }),
      );
      await writer.close({ deadlineMs: 1_000 });
      expect(log.breaches).toEqual([]);
      const all = log.eventIds(TOPICS.outcomes);
      expect(new Set(all)).toEqual(acknowledged);
      expect(log.folded(TOPICS.outcomes)).toEqual({
        applied: acknowledged.size,
        duplicate: all.length - acknowledged.size,
        deadLettered: 0,
      });
    }),
    { numRuns: 80 },
  );
  expect(answered503).toBeGreaterThan(0);
});

it('calls that come while an append is under way share the next one', async () => {
  const log = new FakeLog();
  const { app } = ingestApp(log);
  const one = (n: number) =>
    app.inject(postTo('/v1/outcomes', { outcomes: [item(n, { model: 'm' })] }));
  let release: (how: Answer) => void = () => {};
  log.answer = () => new Promise((resolve) => (release = resolve));
  const first = one(0);
  while (log.appends === 0) await new Promise((resolve) => setImmediate(resolve));
  const others = Array.from({ length: 50 }, (_, i) => one(i + 1));
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  log.answer = () => 'ack';
  release('ack');
  await first;
  await Promise.all(others);
  expect(log.appends).toBe(2);
  expect(log.decoded(TOPICS.outcomes)).toHaveLength(2);
});

it('what was answered 503 before it was sent is never written', async () => {
  const log = new FakeLog();
  const { app, writer } = ingestApp(log, { acknowledgeMs: 10 });
  let release: (how: Answer) => void = () => {};
  log.answer = () => new Promise((resolve) => (release = resolve));
  const bodyOf = (n: number) => postTo('/v1/outcomes', { outcomes: [item(n, { model: 'm' })] });
  const doubtful = app.inject(bodyOf(1));
  while (log.appends === 0) await new Promise((resolve) => setImmediate(resolve));
  const unsent = app.inject(bodyOf(2));
  expect((await doubtful).statusCode).toBe(503);
  expect((await unsent).statusCode).toBe(503);
  log.answer = () => 'ack';
  release('ack');
  await writer.close({ deadlineMs: 1_000 });
  expect(log.eventIds(TOPICS.outcomes)).toEqual([item(1)['event_id']]);
});

it('a writer that closes waits for what is under way, and takes nothing more', async () => {
  const log = new FakeLog();
  const { app, writer } = ingestApp(log);
  const under = app.inject(postTo('/v1/outcomes', { outcomes: [item(1)] }));
  while (log.appends === 0) await new Promise((resolve) => setImmediate(resolve));
  await writer.close({ deadlineMs: 1_000 });
  expect((await under).statusCode).toBe(202);
  const late = await app.inject(postTo('/v1/outcomes', { outcomes: [item(2)] }));
  expect(late.json()).toMatchObject({ code: 'log_unavailable' });
  expect(log.eventIds(TOPICS.outcomes)).toHaveLength(1);
});

it('I1 I11 a writer that stops tells who still waits to send again, and takes what the log answers in time', async () => {
  const log = new FakeLog();
  const { app, writer } = ingestApp(log, { acknowledgeMs: 60_000 });
  const one = (n: number) =>
    app.inject(postTo('/v1/outcomes', { outcomes: [item(n, { model: 'm' })] }));
  const releases: ((how: Answer) => void)[] = [];
  log.answer = () => new Promise((resolve) => releases.push(resolve));
  const inTime = one(0);
  while (releases.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const waiting = one(1);
  writer.stopWaiting(50);
  releases[0]!('ack');
  expect((await inTime).statusCode).toBe(202);
  const [late, behind] = [await waiting, await one(2)];
  for (const { statusCode, body } of [late, behind]) {
    expect(statusCode).toBe(503);
    expect(body).toContain('the process stops');
  }
  // On a slow machine it was withdrawn before it was sent.
  releases[1]?.('ack');
  await writer.close({ deadlineMs: 1_000 });
});
