import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AiRouter, answerOf, type Ended, serverOf } from './airouter.js';

/** A run takes 30 s to 60 s on two cores; these tests make three. */
const RUN_TIMEOUT_MS = 280_000;
/** Arrivals of the two traces. */
const ARRIVALS = 28_185;

interface Answer {
  requests: number;
  events_published: number;
  events_applied: number;
  books_closed: boolean;
  checksum: string;
  brownout: Record<'share_before' | 'share_during' | 'share_after', number>;
}

const airouter = new AiRouter();
afterAll(() => airouter.close());

const demoAnswer = (ended: Pick<Ended, 'stdout'>) => answerOf(ended) as unknown as Answer;

/** The text up to the n-th line that tells how far a run is. */
function progress(lines: number): RegExp {
  return new RegExp(`(?:\\d %\\s+\\d+ requests[^]*?){${lines}}`);
}

describe('airouter demo', () => {
  let dataDir: string;
  let first: Ended;
  beforeAll(async () => {
    dataDir = await airouter.newDataDir();
    first = await airouter.run(dataDir, ['demo', '--once', '--json', '--seed', '1']);
  }, RUN_TIMEOUT_MS);

  it('ends with one JSON object on standard output, and leaves nothing running', async () => {
    expect(first.code).toBe(0);
    expect(first.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(first.stderr).toMatch(progress(10));
    expect(await serverOf(dataDir)).toBeNull();
    expect(existsSync(join(dataDir, 'owner.json'))).toBe(false);
  });

  it('applies every outcome of every arrival once, and its books close (I1, I2, I3)', () => {
    const answer = demoAnswer(first);
    expect(answer).toMatchObject({
      requests: ARRIVALS,
      decisions: ARRIVALS,
      degraded_decisions: expect.any(Number),
      duplicates: 0,
      dead_lettered: 0,
      books_closed: true,
      checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
      freshness_ms: { p50: expect.any(Number), p99: expect.any(Number) },
      seconds: expect.any(Number),
    });
    expect(answer.events_published).toBeGreaterThanOrEqual(ARRIVALS);
    expect(answer.events_applied).toBe(answer.events_published);
  });

  it('sends a provider that browns out less, and comes back to it', () => {
    const { share_before, share_during, share_after } = demoAnswer(first).brownout;
    expect(share_during).toBeLessThan(share_before / 2);
    expect(share_after).toBeGreaterThan(share_during * 2);
  });

  it('can be verified afterwards, without an owner (I3, I6)', async () => {
    const verified = await airouter.run(dataDir, ['verify', '--json', '--namespace', 'demo']);
    expect(verified.code).toBe(0);
    expect(answerOf(verified)).toMatchObject({
      books_closed: true,
      checksum: demoAnswer(first).checksum,
      hot_keys_match: null,
    });
    expect(await serverOf(dataDir)).toBeNull();
  });

  it(
    'makes the same tables though its projector is killed four times (I1, I2, I4, I6)',
    async () => {
      const demo = airouter.start(dataDir, [
        ...['demo', '--once', '--json', '--seed', '1', '--external-projector'],
      ]);
      await demo.says(/Waiting for: airouter project --namespace demo/);
      const startProjector = () => airouter.start(dataDir, ['project', '--namespace', 'demo']);
      let project = startProjector();
      for (let kill = 1; kill <= 4; kill += 1) {
        await demo.says(progress(kill * 3));
        await project.signal('SIGKILL');
        project = startProjector();
      }
      const ended = await demo.ended;
      expect(ended.code).toBe(0);
      expect(demoAnswer(ended)).toMatchObject({
        events_applied: demoAnswer(first).events_applied,
        books_closed: true,
        checksum: demoAnswer(first).checksum,
      });
      await project.says(/is gone; waiting for the next one/);
      expect((await project.signal('SIGTERM')).code).toBe(0);
    },
    RUN_TIMEOUT_MS,
  );

  it('gives no answer when it is interrupted: exit code 130', async () => {
    const demo = airouter.start(dataDir, ['demo', '--once', '--json']);
    await demo.says(progress(2));
    expect(await demo.signal('SIGINT')).toMatchObject({ code: 130, stdout: '' });
    expect(await serverOf(dataDir)).toBeNull();
  });

  it(
    'starts anew after kill -9 of everything, and another seed makes another log (I6)',
    async () => {
      const killed = airouter.start(dataDir, ['demo', '--once', '--json', '--seed', '1']);
      await killed.says(progress(2));
      const server = (await serverOf(dataDir))!;
      await killed.signal('SIGKILL');
      process.kill(server, 'SIGKILL');

      const demo = airouter.start(dataDir, ['demo', '--json', '--seed', '2']);
      await demo.says(/Going on at real speed/);
      expect(demoAnswer(demo)).toMatchObject({ requests: ARRIVALS, books_closed: true });
      expect(demoAnswer(demo).checksum).not.toBe(demoAnswer(first).checksum);

      // It goes on, and holds the hot keys: now they can be asked.
      const verified = await airouter.run(dataDir, ['verify', '--json', '--namespace', 'demo']);
      expect(verified.code).toBe(0);
      expect(answerOf(verified)['hot_keys_match']).not.toBe(false);
      expect((await demo.signal('SIGINT')).code).toBe(0);
      expect(await serverOf(dataDir)).toBeNull();
    },
    RUN_TIMEOUT_MS,
  );
});
