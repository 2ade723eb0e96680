import type { types } from 'avsc';
import type { Headers } from '../log/port.js';
import { decode } from './decode.js';
import { type Schemas, schemas } from './schemas.js';
import { formatUuid } from './uuid.js';
import { BODY_START, MAGIC } from './wire.js';

const PUBLISHER_BYTES = 16;

/** Publishers, as text, of the batches among these records; of bytes that are none it may name any. */
export function batchPublishers(
  records: readonly { value: Buffer | null; headers: Headers }[],
  known: Schemas = schemas,
): Set<string> {
  const publishers = new Set<string>();
  for (const { value, headers } of records) {
    const publisher = value === null ? null : publisherOf(value, headers, known);
    if (publisher !== null) publishers.add(publisher);
  }
  return publishers;
}

function publisherOf(value: Buffer, headers: Headers, known: Schemas): string | null {
  if (value.length < BODY_START + PUBLISHER_BYTES || value[0] !== MAGIC) return null;
  const writer = known.writer(value.readInt32BE(1));
  if (writer === undefined || writer === 'unknown' || writer.record !== 'OutcomeBatch') return null;
  // As in the shipped schemas: it need not be decoded a second time.
  if ((writer.type as types.RecordType).fields[0]?.name === 'publisher') {
    return formatUuid(value.subarray(BODY_START, BODY_START + PUBLISHER_BYTES));
  }
  const decoded = decode(value, headers, known);
  return 'failed' in decoded || decoded.type !== 'OutcomeBatch'
    ? null
    : formatUuid(decoded.value.publisher);
}
