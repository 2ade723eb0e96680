import avro from 'avsc';
import { expect, it } from 'vitest';
import { batchPublishers } from '../../src/event/batch-publishers.js';
import { crc32c } from '../../src/event/crc32c.js';
import { assembleBatch, encodeOutcomeBody, encodeRecord } from '../../src/event/encode.js';
import { readShippedSchemas, Schemas } from '../../src/event/schemas.js';
import { formatUuid } from '../../src/event/uuid.js';
import { idOf, outcome } from '../fold/outcomes.js';

const batch = assembleBatch(idOf(7), 1, [encodeOutcomeBody(outcome())]);

it('names the publishers of batches, each once, and of nothing else', () => {
  const single = { value: encodeRecord('RequestOutcome', outcome()), headers: {} };
  const cut = { value: batch.value.subarray(0, 12), headers: batch.headers };
  const garbage = { value: Buffer.alloc(40, 1), headers: {} };
  const records = [batch, batch, single, cut, garbage, { value: null, headers: {} }];
  expect([...batchPublishers(records)]).toEqual([formatUuid(idOf(7))]);
});

it('finds the publisher where the schema of others has it elsewhere', () => {
  const known = new Schemas();
  const shipped = readShippedSchemas().findLast(({ subject }) => subject.endsWith('OutcomeBatch'))!;
  const schema = JSON.parse(shipped.text) as { fields: unknown[] };
  schema.fields.unshift(...schema.fields.splice(1, 1));
  expect(known.register(100, JSON.stringify(schema))).toBeNull();
  const head = Buffer.from([0, 0, 0, 0, 100]);
  const type = avro.Type.forSchema(schema as never);
  const publisher = Buffer.from(idOf(8));
  const body = type.toBuffer({ publisher, sequence: 1, outcomes: [wholeOutcome()] });
  const value = Buffer.concat([head, body]);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32c(value));
  const found = batchPublishers([{ value, headers: { crc32c: crc } }], known);
  expect([...found]).toEqual([formatUuid(publisher)]);
});

function wholeOutcome() {
  const made = outcome();
  return { ...made, event_id: Buffer.from(made.event_id) };
}
