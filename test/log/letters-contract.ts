import { expect, it } from 'vitest';
import { readShippedSchemas, Schemas } from '../../src/event/schemas.js';
import { createDeadLetters, discardRecord, parseLetter } from '../../src/log/dead-letters.js';
import { SchemaTopic } from '../../src/log/schema-topic.js';
import { findUncommitted } from '../../src/log/uncommitted-letters.js';
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
