import { originText } from '../fold/origin.js';
import type { Parts } from '../roles/parts.js';
import type { CommandContext } from './context.js';
import { type PlaceState, parkedRows, partitionLetters, stateOf } from './dlq-letters.js';

/** A parked record or event: where it stood, why it was parked, and what became of it. */
export interface DeadLetterLine {
  topic: string;
  partition: number;
  offset: number;
  /** Place of the event in its batch; -1 = the record whole. */
  index: number;
  code: string;
  /** Null where its letter is of a version that did not keep reasons. */
  reason: string | null;
  bytes: number;
  state: PlaceState;
}

/** `airouter dlq list`: each parked place once, one object a line. */
export async function list(context: CommandContext, parts: Parts): Promise<void> {
  const states: Record<PlaceState, number> = { pending: 0, parked: 0, replayed: 0, discarded: 0 };
  let lines = 0;
  for await (const line of deadLetterLines(parts)) {
    context.print(JSON.stringify(line));
    states[line.state] += 1;
    lines += 1;
  }
  if (context.json) context.answer({ dead_letters: lines, ...states });
  else if (lines === 0) context.progress('There are no dead letters.');
}

export async function* deadLetterLines(parts: Parts): AsyncGenerator<DeadLetterLine> {
  for await (const { partition: own, letters, discarded } of partitionLetters(parts)) {
    const parked = await parkedRows(parts, { partition: own });
    const rows = new Map(parked.map((row) => [originText(row), row]));
    for (const [place, { letter, bytes }] of letters) {
      const { topic, partition, offset, index, code, reason } = letter;
      const row = rows.get(place);
      yield {
        topic,
        partition,
        offset,
        index,
        code: row?.code ?? code,
        reason: row?.reason ?? (reason === '' ? null : reason),
        bytes,
        state: stateOf(row, discarded.has(place)),
      };
    }
  }
}
