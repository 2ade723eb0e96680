import type { KafkaMessage, Message } from 'kafkajs';
import type { Headers, LogRecord, NewRecord } from './port.js';

const NO_HEADERS: Headers = {};

export function toRecord(message: KafkaMessage): LogRecord {
  return {
    offset: Number(message.offset),
    timestampMs: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: toHeaders(message.headers),
  };
}

export function toMessage(partition: number, record: NewRecord): Message {
  const { key, value, headers, timestampMs } = record;
  return {
    partition,
    key,
    value,
    ...(headers === undefined ? {} : { headers }),
    // As text: kafkajs takes the number 0 for none.
    ...(timestampMs === undefined ? {} : { timestamp: String(timestampMs) }),
  };
}

/** Kafka allows a name several times, of which the last counts, and null, which is empty here. */
function toHeaders(headers: KafkaMessage['headers']): Headers {
  const entries = Object.entries(headers ?? {});
  if (entries.length === 0) return NO_HEADERS;
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const last = Array.isArray(value) ? value.at(-1) : value;
      return [name, typeof last === 'string' ? Buffer.from(last) : (last ?? Buffer.alloc(0))];
    }),
  );
}
