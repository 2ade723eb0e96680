import { wallClock } from '../clock.js';
import { foldedTopics } from '../log/topics.js';
import { type Lag, lagOf } from '../replay/lag.js';
import { openParts } from '../roles/parts.js';
import { requireProjection } from '../roles/projection.js';
import type { CommandContext } from './context.js';

/** `airouter lag`: what waits in the log, and within how many seconds a repeat counts once. */
export async function run(context: CommandContext): Promise<void> {
  const parts = await openParts(context, 'any');
  try {
    await requireProjection(parts);
    const { pool, schema, log, topics } = parts;
    const nowMs = wallClock.nowMs();
    const lag = await lagOf({ pool, schema, log, topics: foldedTopics(topics), nowMs });
    if (context.json) context.answer(lag);
    else print(context, lag);
  } finally {
    await parts.close();
  }
}

function print(context: CommandContext, lag: Lag): void {
  const header = ['partition', 'start', 'offset_next', 'end', 'lag', 'lag_ms', 'window_s'];
  context.print(header.join('\t'));
  for (const each of lag.partitions) {
    const window = each.duplicate_window_seconds;
    const cells = [each.start, each.offset_next, each.end, each.lag_records, each.lag_ms, window];
    const text = cells.map((cell) => cell ?? '-').join('\t');
    context.print(`${each.topic}/${each.partition}\t${text}`);
  }
  context.print(`lag: ${lag.lag_records}`);
}
