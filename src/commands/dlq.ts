import { AiRouterError } from '../errors.js';
import type { LogRecord } from '../log/port.js';
import { topicNamed } from '../log/topics.js';
import { openParts, type Parts } from '../roles/parts.js';
import { requireProjection } from '../roles/projection.js';
import { wholeNumber } from './arguments.js';
import type { CommandContext } from './context.js';
import { replayDeadLetters } from './dlq-replay.js';

const READ_BYTES = 1_048_576;

/** A parked record or event: where it stood and why it was parked. */
interface DeadLetterLine {
  topic: string;
  partition: number;
  offset: number;
  /** Place of the event in its batch; -1 = the record whole. */
  index: number;
  code: string;
  /** Null where its place was parked but not committed: it is judged again. */
  reason: string | null;
  bytes: number;
}

/** `airouter dlq list`: each parked place once, one object a line; `dlq allow`: go on; `dlq replay`. */
export async function run(
  context: CommandContext,
  options: Record<string, unknown>,
): Promise<void> {
  const [action] = options['args'] as string[];
  const act = ACTIONS[action!];
  if (act === undefined) {
    throw new AiRouterError(
      'invalid_usage',
      `dlq: the action must be list, allow or replay, got "${action}"`,
    );
  }
  const parts = await openParts(context, 'any');
  try {
    await requireProjection(parts);
    await act(context, parts, options);
  } finally {
    await parts.close();
  }
}

type Action = (
  context: CommandContext,
  parts: Parts,
  options: Record<string, unknown>,
) => Promise<void>;

const ACTIONS: Readonly<Record<string, Action>> = { list, allow, replay };

async function replay(
  context: CommandContext,
  parts: Parts,
  options: Record<string, unknown>,
): Promise<void> {
  const place = options['place'] as string | undefined;
  const replayed = await replayDeadLetters(parts, place ?? null);
  if (place !== undefined && replayed.length === 0) {
    throw new AiRouterError('invalid_usage', `no parked place ${place} waits for its replay`);
  }
  for (const each of replayed) context.print(JSON.stringify(each));
  if (context.json)
    context.answer({ replayed: replayed.filter((each) => each.offset !== null).length });
}

async function list(context: CommandContext, parts: Parts): Promise<void> {
  const lines = await listDeadLetters(parts);
  for (const line of lines) context.print(JSON.stringify(line));
  if (context.json) context.answer({ dead_letters: lines.length });
}

/** Lets the undecodable records below an offset pass; the stopped partition goes on by itself. */
async function allow(
  context: CommandContext,
  { pool, schema, topics }: Parts,
  options: Record<string, unknown>,
): Promise<void> {
  const partition = wholeNumber('--partition', options['partition']);
  const allowed_to = wholeNumber('--to', options['to']);
  const topic = topicNamed(topics, String(options['topic']));
  const { rowCount } = await pool.query(
    `update "${schema}".projection_checkpoint set allowed_to = greatest(allowed_to, $3)
     where topic = $1 and partition = $2`,
    [topic, partition, allowed_to],
  );
  if (rowCount !== 1) {
    throw new AiRouterError('invalid_usage', `no projection reads ${topic}/${partition}`);
  }
  if (context.json) context.answer({ topic, partition, allowed_to });
  else context.print(`${topic}/${partition} may pass undecodable records below ${allowed_to}`);
}

async function listDeadLetters(parts: Parts): Promise<DeadLetterLine[]> {
  const reasons = await parkedReasons(parts);
  const topic = parts.topics.deadLetters;
  const partitions = (await parts.log.partitions([topic])).get(topic) ?? 0;
  const lines = new Map<string, DeadLetterLine>();
  for (let partition = 0; partition < partitions; partition++) {
    const { start, end } = await parts.log.bounds(topic, partition);
    for (let offset = start; offset < end; ) {
      const batch = await parts.log.read(topic, partition, offset, READ_BYTES);
      if (batch.records.length === 0) break;
      for (const record of batch.records) {
        const line = lineOf(record);
        const place = placeOf(line.topic, line.partition, line.offset, line.index);
        // Parking may repeat: the first copy of a place stands for all.
        if (!lines.has(place)) lines.set(place, { ...line, reason: reasons.get(place) ?? null });
      }
      offset = batch.records.at(-1)!.offset + 1;
    }
  }
  return [...lines.values()];
}

async function parkedReasons({ pool, schema }: Parts): Promise<Map<string, string>> {
  const { rows } = await pool.query<{
    topic: string;
    partition: number;
    record_offset: number;
    index: number;
    reason: string;
  }>(`select topic, partition, record_offset, index, reason from "${schema}".parked`);
  return new Map(
    rows.map((row) => [
      placeOf(row.topic, row.partition, row.record_offset, row.index),
      row.reason,
    ]),
  );
}

const placeOf = (topic: string, partition: number, offset: number, index: number): string =>
  `${topic}/${partition}/${offset}/${index}`;

function lineOf({ headers, value }: LogRecord): Omit<DeadLetterLine, 'reason'> {
  const text = (name: string): string => headers[name]?.toString() ?? '';
  return {
    topic: text('topic'),
    partition: Number(text('partition')),
    offset: Number(text('offset')),
    index: Number(text('index')),
    code: text('code'),
    bytes: value?.length ?? 0,
  };
}
