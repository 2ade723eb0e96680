import { WRITE_RETRY } from '../backoff.js';
import type { Clock } from '../clock.js';
import type { CommandContext } from '../commands/context.js';
import { entriesOf } from '../ingest/entries.js';
import { RecordWriter } from '../ingest/record-writer.js';
import type { LogWriter } from '../log/port.js';
import { createPublisher, type Publisher } from '../publish/publisher.js';
import { isKept } from '../roles/decision-log.js';
import type { Parts } from '../roles/parts.js';
import type { StepDecisions } from './decisions.js';
import { idFrom } from './draws.js';

/** Longer than any append takes: in virtual time everybody waits. */
const ACKNOWLEDGE_MS = 60_000;

/** `end`: the offset after the last record that was appended. */
export type Appended = (topic: string, partition: number, end: number) => void;

interface WriterParts {
  context: CommandContext;
  parts: Parts;
  seed: string;
}

/** Publishes as users' services do, but in virtual time: records take the end of their tick. */
export function createVirtualPublisher(
  { context, parts, seed, onAppended }: WriterParts & { onAppended?: Appended },
  clock: Clock,
): Publisher {
  return createPublisher({
    log: inVirtualTime(parts.log, clock, onAppended),
    topic: parts.topics.outcomes,
    partitions: context.config.partitions,
    clock,
    publisherId: () => idFrom(seed, 'publisher'),
    lingerMs: 0,
    queueMax: context.config.publishQueueMax,
    spoolDir: null,
    spoolBytesMax: context.config.spoolBytesMax,
    retry: WRITE_RETRY,
    logger: context.logger,
  });
}

/** Writes the decisions of so many answers, at the end of their step. */
export function createDecisionWriter(
  { context, parts, seed, decisions }: WriterParts & { decisions: StepDecisions },
  clock: Clock,
): (answers: number) => Promise<void> {
  const { topics } = parts;
  const { partitions, decisionLog: share } = context.config;
  const writer = new RecordWriter({
    log: inVirtualTime(parts.log, clock),
    outcomesTopic: topics.outcomes,
    publisherId: () => idFrom(seed, 'decisions'),
    acknowledgeMs: ACKNOWLEDGE_MS,
    heldBytesMax: context.config.ingestBytesMax,
    logger: context.logger,
  });
  const entries = entriesOf({ topics, partitions: new Map([[topics.decisions, partitions]]) });
  return async (answers) => {
    const taken = await decisions.take(answers);
    const kept = taken.filter(({ decision_id }) => isKept(decision_id, share));
    await writer.write(kept.map(entries.decision));
  };
}

function inVirtualTime(log: LogWriter, clock: Clock, onAppended?: Appended): LogWriter {
  return {
    async append(topic, partition, records) {
      const stamped = records.map((record) => ({ ...record, timestampMs: clock.nowMs() }));
      const offset = await log.append(topic, partition, stamped);
      onAppended?.(topic, partition, offset + records.length);
      return offset;
    },
  };
}
