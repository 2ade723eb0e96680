import { AiRouterError } from '../errors.js';
import { topicNamed } from '../log/topics.js';
import { openParts, type Parts } from '../roles/parts.js';
import { requireProjection } from '../roles/projection.js';
import { wholeNumber } from './arguments.js';
import type { CommandContext } from './context.js';
import { discard } from './dlq-discard.js';
import { list } from './dlq-list.js';
import { replay } from './dlq-replay.js';
import { show } from './dlq-show.js';

type Action = (
  context: CommandContext,
  parts: Parts,
  options: Record<string, unknown>,
) => Promise<void>;

const ACTIONS: Readonly<Record<string, Action>> = { list, show, replay, discard, allow };

/** `airouter dlq list|show|replay|discard|allow`: what was parked, and what becomes of it. */
export async function run(
  context: CommandContext,
  options: Record<string, unknown>,
): Promise<void> {
  const [action = ''] = options['args'] as string[];
  const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (act === undefined) {
    throw new AiRouterError(
      'invalid_usage',
      `dlq: the action must be list, show, replay, discard or allow, got "${action}"`,
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

/** Lets the undecodable records below an offset pass; the stopped partition goes on by itself. */
async function allow(
  context: CommandContext,
  { pool, schema, topics, log }: Parts,
  options: Record<string, unknown>,
): Promise<void> {
  const partition = wholeNumber('--partition', options['partition']);
  const allowed_to = wholeNumber('--to', options['to']);
  const topic = topicNamed(topics, String(options['topic']));
  const reads = `select from "${schema}".projection_checkpoint where topic = $1 and partition = $2`;
  const isRead = (await pool.query(reads, [topic, partition])).rowCount === 1;
  if (!isRead) {
    throw new AiRouterError('invalid_usage', `no projection reads ${topic}/${partition}`);
  }
  const { end } = await log.bounds(topic, partition);
  // What is not written yet nobody has looked at.
  if (allowed_to > end) {
    const rule = `at most ${end}, the end of ${topic}/${partition}`;
    throw new AiRouterError('invalid_usage', `--to must be ${rule}, got ${allowed_to}`, {
      field: '--to',
      rule,
    });
  }
  await pool.query(
    `update "${schema}".projection_checkpoint set allowed_to = greatest(allowed_to, $3)
     where topic = $1 and partition = $2`,
    [topic, partition, allowed_to],
  );
  if (context.json) context.answer({ topic, partition, allowed_to });
  else context.print(`${topic}/${partition} may pass undecodable records below ${allowed_to}`);
}
