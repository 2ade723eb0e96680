import type { ErrorCode } from '../errors.js';
import type { Headers, LogRecord } from '../log/port.js';
import { crc32c } from './crc32c.js';
import type { DecodedRecord } from './outcome.js';
import { nameProviders } from './provider.js';
import { type Schemas, schemas, type Writer } from './schemas.js';
import { BODY_START, CRC_BYTES, CRC_HEADER, MAGIC } from './wire.js';

/** Why the bytes of a record are not a fact. None of the texts holds a byte of the record. */
export interface DecodeFailure {
  failed: true;
  code: Extract<ErrorCode, 'unknown_magic' | 'unknown_schema' | 'undecodable' | 'crc_mismatch'>;
  /** Path of the field, such as `outcomes[3].model`; empty where the value as a whole is wrong. */
  field: string;
  rule: string;
  /** One sentence for people. */
  reason: string;
}

/**
 * The fact in a record of the log. It never throws, whatever the bytes: what is wrong comes back
 * as a value. It costs no more than the bytes that are there, whatever they claim.
 */
export function decode(
  value: Buffer | null,
  headers: Headers,
  known: Schemas = schemas,
): DecodedRecord | DecodeFailure {
  const writer = writerOf(value, known);
  if (isFailure(writer)) return writer;
  if (writer === 'unknown') return { type: 'unknown', value: null };
  if (writer.record === 'OutcomeBatch' && !isCrcRight(value!, headers)) {
    return failed('crc_mismatch', '', `one whose CRC-32C is in the header ${CRC_HEADER}`);
  }
  const decoded = read(value!, writer, writer.reader, writer.resolver);
  if (!isFailure(decoded)) nameProviders(decoded as DecodedRecord);
  return decoded as DecodedRecord | DecodeFailure;
}

/**
 * Every field of a record, also those that the fold does not read, and whatever its checksum says:
 * for people who look at a record, and for what is written again from it.
 */
export function decodeWhole(value: Buffer | null, known: Schemas = schemas): Whole | DecodeFailure {
  const writer = writerOf(value, known);
  if (isFailure(writer)) return writer;
  if (writer === 'unknown') return { type: 'unknown', value: null };
  const { type } = known.written(writer.record);
  const resolver = type.createResolver(writer.type, { ignoreNamespaces: true });
  return read(value!, writer, type, resolver);
}

/** A record by the newest shipped schema of its type. */
export interface Whole {
  type: DecodedRecord['type'];
  value: unknown;
}

/**
 * Ids of schemas that others may have registered and that are to be looked up before `decode`, at
 * most `idsMax`; `through` = how many of the records they are all ids of, at least one.
 */
export function unknownIds(
  records: readonly Pick<LogRecord, 'value'>[],
  known: Schemas = schemas,
  idsMax = Infinity,
): { ids: number[]; through: number } {
  const ids = new Set<number>();
  for (const [index, { value }] of records.entries()) {
    if (value === null || value.length < BODY_START || value[0] !== MAGIC) continue;
    const id = value.readInt32BE(1);
    if (!known.isForeign(id) || ids.has(id)) continue;
    if (ids.size === idsMax) return { ids: [...ids], through: index };
    ids.add(id);
  }
  return { ids: [...ids], through: records.length };
}

function writerOf(value: Buffer | null, known: Schemas): Writer | 'unknown' | DecodeFailure {
  if (value === null || value.length < BODY_START) {
    return failed('undecodable', '', 'of at least 5 bytes');
  }
  if (value[0] !== MAGIC) return failed('unknown_magic', '', 'one that begins with 0x00');
  const id = value.readInt32BE(1);
  return known.writer(id) ?? unknownSchema(id, known);
}

function read(
  value: Buffer,
  writer: Writer,
  reader: Writer['reader'],
  resolver: Writer['resolver'],
): Whole | DecodeFailure {
  const broken = writer.walk.check(value, BODY_START);
  if (broken !== null) return failed('undecodable', broken.field, broken.rule);
  try {
    const decoded = reader.decode(value, BODY_START, resolver);
    if (decoded.offset === value.length) return { type: writer.record, value: decoded.value };
  } catch {
    // The walk has let nothing through that avsc refuses; should it, the record is parked.
  }
  return failed('undecodable', '', `a ${writer.record}`);
}

function isFailure(given: object | 'unknown'): given is DecodeFailure {
  return given !== 'unknown' && 'failed' in given;
}

function isCrcRight(value: Buffer, headers: Headers): boolean {
  const header = headers[CRC_HEADER];
  if (!Buffer.isBuffer(header) || header.length !== CRC_BYTES) return false;
  return header.readUInt32BE(0) === crc32c(value);
}

function unknownSchema(id: number, known: Schemas): DecodeFailure {
  const refusal = known.refusal(id);
  const rule =
    refusal === null
      ? `of a known schema, which id ${id} is not`
      : `of a schema that can be read, which id ${id} is not: ${refusal}`;
  return failed('unknown_schema', '', rule);
}

function failed(code: DecodeFailure['code'], field: string, rule: string): DecodeFailure {
  const where = field === '' ? 'the value' : field;
  return { failed: true, code, field, rule, reason: `${where} must be ${rule}` };
}
