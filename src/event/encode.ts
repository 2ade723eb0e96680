import avro, { type Type } from 'avsc';
import { AiRouterError } from '../errors.js';
import { crc32c } from './crc32c.js';
import type { DecodedRecord, RequestOutcome, Uuid } from './outcome.js';
import { type RecordName, schemas } from './schemas.js';
import { BODY_START, CRC_BYTES, MAGIC } from './wire.js';

/** What is written as a record of its own; a batch is only ever assembled, with its checksum. */
export type Writable = { RequestOutcome: RequestOutcome } & {
  [K in Exclude<RecordName, 'RequestOutcome' | 'OutcomeBatch'>]: Extract<
    DecodedRecord,
    { type: K }
  >['value'];
};

/** A batch as it goes to the log. */
export interface EncodedBatch {
  value: Buffer;
  headers: { crc32c: Buffer };
}

/** A long below 2^53, a count below 2^31, as varints. */
const SEQUENCE_BYTES_MAX = 8;
const COUNT_BYTES_MAX = 5;
const PUBLISHER_BYTES = 16;

/** A batch has at most so many bytes beside the bodies of its outcomes. */
export const batchOverheadBytes: number =
  BODY_START + PUBLISHER_BYTES + SEQUENCE_BYTES_MAX + COUNT_BYTES_MAX + 1;

const LONG = avro.Type.forSchema('long');

/** One scratch buffer for the process, since encoding never waits; it grows and is kept. */
let scratch = Buffer.allocUnsafeSlow(65_536);

/**
 * A record's value for the log: header of the wire format and Avro body, by the newest shipped
 * schema. Throws `rule_broken` with the field where a value does not fit its Avro type; what else
 * must hold of a value is in `rules.ts` and is the caller's to check before.
 */
export function encodeRecord<K extends keyof Writable>(name: K, value: Writable[K]): Buffer {
  const { id, type } = schemas.written(name);
  const end = writeAt(BODY_START, type, withBuffers(value as WithUuids));
  writeHeader(scratch, id);
  return Buffer.from(scratch.subarray(0, end));
}

/** The Avro body of one outcome: the same bytes alone, after the header, and within a batch. */
export function encodeOutcomeBody(outcome: RequestOutcome): Buffer {
  const end = writeAt(0, schemas.written('RequestOutcome').type, withBuffers(outcome));
  return Buffer.from(scratch.subarray(0, end));
}

/**
 * A batch of outcomes that are encoded already, in their order. `publisher`: 16 bytes; `sequence`
 * counts from 1 for each publisher and partition. The bytes are final: a batch is resent as it is.
 */
export function assembleBatch(
  publisher: Uuid,
  sequence: number,
  bodies: readonly Buffer[],
): EncodedBatch {
  if (publisher.length !== PUBLISHER_BYTES || !(sequence >= 1)) {
    throw new RangeError('a batch has a publisher of 16 bytes and a sequence from 1 on');
  }
  const bodyBytes = bodies.reduce((sum, body) => sum + body.length, 0);
  const value = Buffer.allocUnsafeSlow(batchOverheadBytes + bodyBytes);
  writeHeader(value, schemas.written('OutcomeBatch').id);
  value.set(publisher, BODY_START);
  let at = LONG.encode(sequence, value, BODY_START + PUBLISHER_BYTES);
  if (bodies.length > 0) {
    at = LONG.encode(bodies.length, value, at);
    for (const body of bodies) at += body.copy(value, at);
  }
  value[at++] = 0;
  const bytes = value.subarray(0, at);
  const checksum = Buffer.alloc(CRC_BYTES);
  checksum.writeUInt32BE(crc32c(bytes));
  return { value: bytes, headers: { crc32c: checksum } };
}

function writeHeader(buffer: Buffer, id: number): void {
  buffer[0] = MAGIC;
  buffer.writeInt32BE(id, 1);
}

/** Encodes into the scratch buffer from `start` on; answers where the bytes end. */
function writeAt(start: number, type: Type, value: object): number {
  try {
    const end = type.encode(value, scratch, start);
    if (end >= 0) return end;
    // avsc answers how many bytes were missing, negated.
    scratch = Buffer.allocUnsafeSlow((scratch.length - end) * 2);
    return type.encode(value, scratch, start);
  } catch (error) {
    throw misfit(type, value, error);
  }
}

function misfit(type: Type, value: object, cause: unknown): AiRouterError {
  let field = '';
  let rule = `a value of ${type.name}`;
  const errorHook = (path: string[], _value: unknown, wanted: Type): void => {
    if (field !== '') return;
    field = path.join('.');
    rule = `a value of the Avro type ${wanted.name ?? wanted.toString()}`;
  };
  type.isValid(value, { errorHook });
  return new AiRouterError('rule_broken', `${field}: ${rule}`, { field, rule, cause });
}

interface WithUuids {
  event_id?: Uuid;
  decision_id?: Uuid;
  emitter?: Uuid;
  id?: Uuid;
  decision?: { decision_id: Uuid } | null;
}

const UUID_FIELDS = ['event_id', 'decision_id', 'emitter', 'id'] as const;

/** avsc takes 16 bytes only as a Buffer; a plain Uint8Array is copied into one. */
function withBuffers(value: WithUuids): object {
  const { decision } = value;
  let fit = value;
  for (const name of UUID_FIELDS) {
    const id = value[name];
    if (isPlain(id)) fit = { ...fit, [name]: Buffer.from(id) };
  }
  if (decision && isPlain(decision.decision_id)) {
    const decisionId = Buffer.from(decision.decision_id);
    fit = { ...fit, decision: { ...decision, decision_id: decisionId } };
  }
  return fit;
}

function isPlain(id: Uuid | undefined): id is Uuid {
  return id instanceof Uint8Array && !Buffer.isBuffer(id);
}
