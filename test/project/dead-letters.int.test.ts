import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandContext } from '../../src/commands/context.js';
import { discard } from '../../src/commands/dlq-discard.js';
import { deadLetterLines, list } from '../../src/commands/dlq-list.js';
import { replay } from '../../src/commands/dlq-replay.js';
import { show } from '../../src/commands/dlq-show.js';
import { encodeRecord } from '../../src/event/encode.js';
import type { RequestOutcome } from '../../src/event/outcome.js';
import { createDeadLetters } from '../../src/log/dead-letters.js';
import { createKafkaLog } from '../../src/log/kafka-log.js';
import type { Parts } from '../../src/roles/parts.js';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';
import { anyBrokers, noKafka } from '../log/kafka-brokers.js';
import { type TestDatabase, testDatabase } from '../postgres.js';
import { appendBatch, type TestProjection, type TestWorld, testWorld } from './projection.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

type Command = (
  context: CommandContext,
  parts: Parts,
  options: Record<string, unknown>,
) => Promise<void>;

/** The commands, as `airouter dlq …` runs them on a projection. */
function commandsOf(world: TestWorld, { schema }: TestProjection) {
  const parts = { log: world.log, topics: world.topics, pool: database.pool, schema } as Parts;
  return {
    parts,
    async run(command: Command, args: string[], options = {}, json = true) {
      const lines: string[] = [];
      const answers: unknown[] = [];
      const context = {
        json,
        print: (line: string) => lines.push(line),
        answer: (value: unknown) => answers.push(value),
      } as unknown as CommandContext;
      await command(context, parts, { args: ['', ...args], ...options });
      return { lines, answer: answers[0] as Record<string, unknown> };
    },
    async lines() {
      const lines = [];
      for await (const line of deadLetterLines(parts)) lines.push(line);
      return lines;
    },
  };
}

const parkedRows = async ({ schema }: TestProjection): Promise<string[]> => {
  const { rows } = await database.pool.query<{ place: string }>(
    `select record_offset || '/' || index || ' ' || code as place from "${schema}".parked
     order by topic, partition, record_offset, index`,
  );
  return rows.map(({ place }) => place);
};

describe('letters whose commit never came', () => {
  it('I9 I2 park their places once, whatever is thought of them today, and a rebuild does the same', async () => {
    const world = await testWorld(database);
    const { log, topics } = world;
    const events = [1, 2, 3].map((n) => outcome({ event_id: idOf(n) }));
    await appendBatch(world, 0, idOf(9), 1, events, START_MS);
    const value = encodeRecord('RequestOutcome', outcome({ event_id: idOf(4) }));
    await log.append(topics.outcomes, 0, [{ key: null, value, timestampMs: START_MS }]);
    await log.append(topics.outcomes, 0, [{ key: null, value: null, timestampMs: START_MS }]);
    const { records } = await log.read(topics.outcomes, 0, 0, 1_000_000);
    // An older program, which found these, ended between the letters and its commit.
    const source = { topic: topics.outcomes, partition: 0 };
    await createDeadLetters(log, topics.deadLetters, 1)(source, records, [
      { offset: 0, index: 1, code: 'rule_broken', reason: 'model must be another one' },
      { offset: 1, index: -1, code: 'unknown_schema', reason: 'it was not known then' },
      {
        offset: 2,
        index: -1,
        code: 'undecodable',
        reason: 'the value must be of at least 5 bytes',
      },
    ]);
    const [first, second] = [world.projection(), world.projection()];
    for (const projection of [first, second]) {
      await projection.start();
      await projection.caughtUp();
      expect(await parkedRows(projection)).toEqual([
        '0/1 rule_broken',
        '1/-1 unknown_schema',
        '2/-1 undecodable',
      ]);
      const [books] = await projection.books();
      expect(books).toMatchObject({ read: 5, applied: 2, dead_lettered: 3, closed: true });
    }
    expect(await second.checksum()).toBe(await first.checksum());
    // Nobody wrote a letter again.
    expect((await log.bounds(topics.deadLetters, 0)).end).toBe(3);
    const { lines } = commandsOf(world, first);
    expect(await lines()).toMatchObject([
      { offset: 0, index: 1, state: 'parked', reason: 'model must be another one' },
      { offset: 1, index: -1, state: 'parked' },
      { offset: 2, index: -1, state: 'parked' },
    ]);
    await world.close();
  });
});

describe.each(['embedded', 'kafka'] as const)('on the %s log', (kind) => {
  it.skipIf(kind === 'kafka' && noKafka !== null)(
    'I9 I11 batches whose every event is bad are parked event by event, and stop nobody',
    async () => {
      const { brokers, stop } = kind === 'kafka' ? await anyBrokers() : { brokers: [] };
      const log = kind === 'kafka' ? createKafkaLog({ brokers, singleNode: true }) : undefined;
      const world = await testWorld(database, { partitions: 1, ...(log && { log }) });
      const projection = world.projection();
      await projection.start();
      const many = (from: number, fields: Partial<RequestOutcome>) =>
        Array.from({ length: 500 }, (_, n) => outcome({ event_id: idOf(from + n), ...fields }));
      for (let batch = 0; batch < 5; batch += 1) {
        const bad = many(1_000 * batch, { model: '', request_id: 'x'.repeat(100) });
        await appendBatch(world, 0, idOf(9), batch + 1, bad, START_MS);
      }
      await appendBatch(world, 0, idOf(9), 6, many(50_000, {}), START_MS);
      await projection.caughtUp();
      const [books] = await projection.books();
      expect(books).toMatchObject({
        read: 3_000,
        applied: 500,
        dead_lettered: 2_500,
        closed: true,
      });
      const lines = await commandsOf(world, projection).lines();
      expect(lines).toHaveLength(2_500);
      for (const line of lines)
        expect(line).toMatchObject({ state: 'parked', code: 'rule_broken' });
      // Each is one event's, not its batch's.
      expect(Math.max(...lines.map(({ bytes }) => bytes))).toBeLessThan(400);
      await world.close();
      await stop?.();
    },
  );
});

describe('airouter dlq', () => {
  it('I3 discards a place for good: listed so, never replayed, known to a rebuild, books closed', async () => {
    const world = await testWorld(database);
    const projection = world.projection();
    await projection.start();
    const bad = (n: number) => outcome({ event_id: idOf(n), model: '' });
    await appendBatch(
      world,
      1,
      idOf(9),
      1,
      [outcome({ event_id: idOf(1) }), bad(2), bad(3)],
      START_MS,
    );
    const garbage = { key: null, value: Buffer.from('hello\u0000world'), timestampMs: START_MS };
    await world.log.append(world.topics.outcomes, 1, [garbage, garbage]);
    await projection.caughtUp();
    const dlq = commandsOf(world, projection);
    const at = (offset: number, index: number) => `${world.topics.outcomes}/1/${offset}/${index}`;

    expect((await dlq.run(discard, [at(0, 1)])).answer).toEqual({
      discarded: 1,
      discarded_before: 0,
    });
    expect((await dlq.run(discard, [at(0, 1)])).answer).toEqual({
      discarded: 0,
      discarded_before: 1,
    });
    await expect(dlq.run(replay, [at(0, 1)])).rejects.toMatchObject({
      code: 'invalid_usage',
      message: `${at(0, 1)} was discarded, so it is not replayed`,
    });
    const all = { all: true, code: 'unknown_magic' };
    expect((await dlq.run(discard, [], all)).answer).toEqual({ discarded: 2, discarded_before: 0 });
    await expect(dlq.run(discard, [at(0, 0)])).rejects.toMatchObject({
      message: /nothing is parked/,
    });
    await expect(dlq.run(discard, ['here'])).rejects.toMatchObject({ code: 'invalid_usage' });
    await expect(dlq.run(discard, [], { all: true })).rejects.toMatchObject({
      code: 'invalid_usage',
    });
    await expect(dlq.run(discard, [])).rejects.toMatchObject({ code: 'invalid_usage' });

    // What is left is replayed: still broken, so its copy is parked at its own place.
    expect((await dlq.run(replay, [])).answer).toEqual({ replayed: 1 });
    await projection.caughtUp();
    await expect(dlq.run(discard, [at(0, 2)])).rejects.toMatchObject({ message: /was replayed/ });
    const expected = [
      { offset: 0, index: 1, state: 'discarded' },
      { offset: 0, index: 2, state: 'replayed' },
      { offset: 1, index: -1, state: 'discarded' },
      { offset: 2, index: -1, state: 'discarded' },
      { offset: 3, index: 0, state: 'parked' },
    ];
    expect(await dlq.lines()).toMatchObject(expected);
    expect((await dlq.run(list, [])).answer).toEqual({
      dead_letters: 5,
      pending: 0,
      parked: 1,
      replayed: 1,
      discarded: 3,
    });
    const rebuilt = world.projection();
    await rebuilt.start();
    await rebuilt.caughtUp();
    expect(await commandsOf(world, rebuilt).lines()).toMatchObject(expected);
    for (const each of [projection, rebuilt]) {
      const books = (await each.books())[1];
      expect(books).toMatchObject({ read: 6, applied: 1, dead_lettered: 5, closed: true });
    }
    expect(await rebuilt.checksum()).toBe(await projection.checksum());
    await world.close();
  });

  it('I9 shows a letter: its headers, its code, field and rule, and what it holds', async () => {
    const world = await testWorld(database);
    const projection = world.projection();
    await projection.start();
    const bad = outcome({ event_id: idOf(2), model: '', request_id: 'r-1' });
    await appendBatch(world, 0, idOf(9), 1, [outcome({ event_id: idOf(1) }), bad], START_MS);
    const garbage = Buffer.from(`hello\u0000world${'x'.repeat(2_000)}`);
    // What its producer's own headers hold is nobody's business here.
    const headers = { authorization: Buffer.from('Bearer s3cret') };
    await world.log.append(world.topics.outcomes, 0, [
      { key: null, value: garbage, timestampMs: START_MS, headers },
    ]);
    await projection.caughtUp();
    const dlq = commandsOf(world, projection);
    const at = (offset: number, index: number) => `${world.topics.outcomes}/0/${offset}/${index}`;
    const event = await dlq.run(show, [at(0, 1)]);
    expect(event.answer).toMatchObject({
      place: at(0, 1),
      state: 'parked',
      code: 'rule_broken',
      field: 'model',
      rule: expect.stringMatching(/^1\.\.256 /),
      headers: { topic: world.topics.outcomes, partition: '0', offset: '0', index: '1' },
      decoded: { type: 'RequestOutcome', value: { model: '', request_id: 'r-1' } },
      hex: null,
    });
    const whole = await dlq.run(show, [at(1, -1)], {}, false);
    expect(whole.lines).toContain(
      '00000000  68 65 6c 6c 6f 00 77 6f 72 6c 64 78 78 78 78 78  hello.worldxxxxx',
    );
    expect(whole.lines.at(-1)).toBe('… 987 bytes more');
    expect(whole.lines.join('\n')).toContain('unknown_magic: the value must be');
    expect(JSON.stringify(whole)).not.toContain('s3cret');
    await expect(dlq.run(show, [at(7, 0)])).rejects.toMatchObject({ message: /no dead letter/ });
    await expect(dlq.run(show, [])).rejects.toMatchObject({ code: 'invalid_usage' });
    await world.close();
  });
});
