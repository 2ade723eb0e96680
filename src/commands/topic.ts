import { AiRouterError } from '../errors.js';
import { decode } from '../event/decode.js';
import type { Schemas } from '../event/schemas.js';
import type { Log, LogRecord } from '../log/port.js';
import { topicNamed } from '../log/topics.js';
import { openParts } from '../roles/parts.js';
import { storedSchemas } from '../roles/schemas.js';
import { wholeNumber } from './arguments.js';
import type { CommandContext } from './context.js';
import { readable } from './readable.js';
import { stats } from './topic-stats.js';

/** One read of the topic. */
const READ_BYTES = 1_048_576;

/** `airouter topic cat TOPIC`: one decoded record a line; `topic stats TOPIC`: how many there are. */
export async function run(
  context: CommandContext,
  options: Record<string, unknown>,
): Promise<void> {
  const [action, name] = options['args'] as string[];
  if (action !== 'cat' && action !== 'stats') {
    const rule = 'the action must be cat or stats';
    throw new AiRouterError('invalid_usage', `topic: ${rule}, got "${action}"`);
  }
  const from = options['from'] === undefined ? 0 : wholeNumber('--from', options['from']);
  const given = options['partition'];
  const only = given === undefined ? null : wholeNumber('--partition', given);
  const parts = await openParts(context, 'any');
  try {
    const topic = topicNamed(parts.topics, name!);
    const partitions = (await parts.log.partitions([topic])).get(topic);
    if (partitions === undefined) {
      throw new AiRouterError('invalid_usage', `there is no topic ${topic}`);
    }
    if (only !== null && only >= partitions) {
      throw new AiRouterError(
        'invalid_usage',
        `--partition must be below ${partitions}, the partitions of ${topic}, got ${only}`,
        { field: '--partition', rule: `below ${partitions}` },
      );
    }
    const chosen = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
    const places = only === null ? chosen : [chosen[only]!];
    if (action === 'stats') return await stats(context, parts.log, places);
    const schemas = await storedSchemas(parts);
    for (const { partition } of places) {
      await printPartition(context, parts.log, topic, partition, from, schemas);
    }
  } finally {
    await parts.close();
  }
}

async function printPartition(
  context: CommandContext,
  log: Log,
  topic: string,
  partition: number,
  from: number,
  schemas: Schemas,
): Promise<void> {
  const { start, end } = await log.bounds(topic, partition);
  let offset = Math.max(start, from);
  while (offset < end) {
    const batch = await log.read(topic, partition, offset, READ_BYTES);
    if (batch.records.length === 0) return;
    for (const record of batch.records) context.print(lineOf(topic, partition, record, schemas));
    offset = batch.records.at(-1)!.offset + 1;
  }
}

function lineOf(topic: string, partition: number, record: LogRecord, schemas: Schemas): string {
  const decoded = decode(record.value, record.headers, schemas);
  const place = { topic, partition, offset: record.offset, timestamp_ms: record.timestampMs };
  const key = record.key?.toString() ?? null;
  if ('failed' in decoded) {
    const value = record.value?.toString('base64') ?? null;
    return JSON.stringify({ ...place, key, failed: decoded.code, reason: decoded.reason, value });
  }
  return JSON.stringify({ ...place, key, type: decoded.type, value: decoded.value }, readable);
}
