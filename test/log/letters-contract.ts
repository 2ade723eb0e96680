import { expect, it } from 'vitest';
import { assembleBatch, encodeOutcomeBody, encodeRecord } from '../../src/event/encode.js';
import { readShippedSchemas, Schemas } from '../../src/event/schemas.js';
import { createDeadLetters, discardRecord, parseLetter } from '../../src/log/dead-letters.js';
import { SchemaTopic } from '../../src/log/schema-topic.js';
import { findUncommitted } from '../../src/log/uncommitted-letters.js';
import { idOf, outcome } from '../fold/outcomes.js';
import { type MakeLog, readAll, text, useLogs } from './contract.js';

/** What is kept in the log beside events: dead letters, and schemas of others. */
export function lettersContract(makeLog: MakeLog): void {
  const logs = useLogs(makeLog);

  it('I9 finds letters without a commit, and keeps what was discarded', async () => {
    const { log, topic } = await logs.openTopic(2);
    const source = { topic: 'outcomes', partition: 1 };
    await log.append(topic, 1, [text('no letter')]);
    const record = { offset: 7, timestampMs: 0, key: null, value: Buffer.from('7'), headers: {} };
    const letter = { offset: 7, index: 3, code: 'rule_broken', reason: 'model must be …' } as const;
    await createDeadLetters(log, topic, 1)(source, [record], [letter]);
    const discard = { ...source, offset: 7, index: 3 };
    await log.append(topic, 1, [discardRecord(discard, 1, 0)]);

    const letters = findUncommitted(log, topic, 1)(source, 0);
    const found = await letters.of([record]);
    expect(found.letters.get(7)?.get(3)).toEqual({ code: letter.code, reason: letter.reason });
    expect(letters.from(8)).toBe((await log.bounds(topic, 1)).end);
    const parsed = (await readAll(log, topic, 1)).map(parseLetter);
    expect(parsed).toMatchObject([null, letter, { ...discard, code: 'discarded' }]);
  });

  it('I9 I11 takes the letters of a batch whose every event is bad, each with its event alone', async () => {
    const { log, topic } = await logs.openTopic(1);
    const source = { topic: 'outcomes', partition: 0 };
    const bodies = Array.from({ length: 4_000 }, (_, n) =>
      encodeOutcomeBody(outcome({ event_id: idOf(n), model: '', request_id: 'x'.repeat(100) })),
    );
    const { value } = assembleBatch(idOf(9), 1, bodies);
    expect(value.length).toBeGreaterThan(600_000);
    const record = { offset: 7, timestampMs: 0, key: null, value, headers: {} };
    const reason = 'model must be 1..256 UTF-16 units';
    const letters = bodies.map((_, index) => ({
      offset: 7,
      index,
      code: 'rule_broken' as const,
      reason,
    }));
    await createDeadLetters(log, topic, 1)(source, [record], letters);
    const stored = await readAll(log, topic, 0);
    expect(stored).toHaveLength(bodies.length);
    const header = encodeRecord('RequestOutcome', outcome()).subarray(0, 5);
    for (const [index, letter] of stored.entries()) {
      expect(letter.value?.equals(Buffer.concat([header, bodies[index]!]))).toBe(true);
    }
    // Whoever finds them knows which record they are about.
    const found = await findUncommitted(log, topic, 1)(source, 0).of([record]);
    expect(found.letters.get(7)?.size).toBe(bodies.length);
    const other = await findUncommitted(
      log,
      topic,
      1,
    )(source, 0).of([{ ...record, value: value.subarray(1) }]);
    expect(other.letters.size).toBe(0);
  });

  it('I6 lets the first schema of an id stand, for two that ask for one at once', async () => {
    const { log, topic } = await logs.openTopic(1);
    const { log: other } = await logs.open();
    const texts = readShippedSchemas().map((schema) => schema.text);
    const topics = [log, other].map((each) => {
      const schemas = new Schemas();
      return { schemas, schemaTopic: new SchemaTopic({ log: each, topic, schemas }) };
    });
    const stood = await Promise.all(
      topics.map(({ schemaTopic }, n) =>
        schemaTopic.append(() => ({ id: 100, subject: '', schema: texts[n]! })),
      ),
    );
    expect(stood.filter((isFirst) => isFirst)).toHaveLength(1);
    const expected = ['RequestOutcome', 'OutcomeBatch'][stood.indexOf(true)];
    for (const { schemas, schemaTopic } of topics) {
      await schemaTopic.readToEnd();
      expect(schemas.writer(100)).toMatchObject({ record: expected });
    }
  });
}
