import { encodeOutcomeBody, encodeRecord } from '../event/encode.js';
import { offeringKey } from '../event/offering-key.js';
import type { Decision, Inflight, OutcomeSummary, RequestOutcome } from '../event/outcome.js';
import { partitionOf } from '../event/partition.js';
import { formatUuid } from '../event/uuid.js';
import type { Topics } from '../log/topics.js';
import type { Placed } from './record-writer.js';

/** Topics with their numbers of partitions. */
export interface Places {
  topics: Pick<Topics, 'outcomes' | 'summaries' | 'inflight' | 'decisions'>;
  partitions: ReadonlyMap<string, number>;
}

/** Facts as what is appended for them, each at the partition of its key. */
export function entriesOf({ topics, partitions }: Places) {
  const place = (topic: string, key: string, value: Buffer): Placed => ({
    topic,
    partition: partitionOf(key, partitions.get(topic)!),
    key: Buffer.from(key, 'utf8'),
    value,
  });
  return {
    outcome: (outcome: RequestOutcome): Placed => ({
      ...place(topics.outcomes, offeringKey(outcome), encodeOutcomeBody(outcome)),
      // Batches name their partition, and have no key.
      key: null,
    }),
    summary: (summary: OutcomeSummary): Placed =>
      place(topics.summaries, offeringKey(summary), encodeRecord('OutcomeSummary', summary)),
    inflight: (gauge: Inflight): Placed =>
      place(topics.inflight, gauge.offering, encodeRecord('Inflight', gauge)),
    decision: (decision: Decision): Placed =>
      place(topics.decisions, formatUuid(decision.decision_id), encodeRecord('Decision', decision)),
  };
}

export type Entries = ReturnType<typeof entriesOf>;
