import { createHash } from 'node:crypto';
import type { Backoff } from '../backoff.js';
import { deliverList } from '../client/deliver.js';
import { createHttpCaller } from '../client/http.js';
import { type Delivered, Outbox } from '../client/outbox.js';
import type { Decision, Uuid } from '../event/outcome.js';
import { formatUuid } from '../event/uuid.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';

export interface DecisionLogOptions {
  /** Where decisions go: the ingest role, over HTTP or in this process. */
  target: DecisionTarget;
  /** Share that is kept, of 0..1. */
  share: number;
  metrics: Metrics;
  logger: Pick<Logger, 'info' | 'warn'>;
}

export interface DecisionTarget {
  /** Rejects where the decisions may or may not have arrived; they are handed over again. */
  deliver(decisions: readonly Decision[]): Promise<Delivered>;
  close(): void;
}

export interface DecisionLog {
  /** Takes a decision, or drops and counts it. Never waits, never throws. */
  record(decision: Decision): void;
  /** Hands over what is held, within the deadline; the rest is dropped and counted. */
  close(deadline: { deadlineMs: number }): Promise<void>;
}

/** A second of the busiest router: beyond it what is newest is dropped. */
const QUEUE_ITEMS_MAX = 10_000;
/** Memory for decisions that wait for the ingest role. */
const QUEUE_BYTES_MAX = 64 * 1024 * 1024;
/** Half of what the ingest role takes in one body. */
const BATCH_ITEMS_MAX = 500;
/** A fifth of what the ingest role takes: bytes are estimated here. */
const BATCH_BYTES_MAX = 1024 * 1024;
/** Nobody waits for decisions, and routers are many: they come back slowly. */
const HANDOVER_RETRY: Backoff = { initialMs: 100, maxMs: 5_000 };
/** The ingest role answers within 5 s, whatever the log does. */
const HANDOVER_TIMEOUT_MS = 10_000;
/** How long a decision waits for company: nobody reads it at once. */
const LINGER_MS = 200;

/** Hands the router's decisions to the log: bounded, after the answer, never in its way. */
export function createDecisionLog(options: DecisionLogOptions): DecisionLog {
  const { target, share, metrics, logger } = options;
  const counter = metrics.counter('decisionLog');
  let isFailing = false;
  const outbox = new Outbox<Decision>({
    async deliver(decisions) {
      try {
        const delivered = await target.deliver(decisions);
        if (isFailing) logger.info({}, 'Decisions reach the log again.');
        isFailing = false;
        return delivered;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (!isFailing) logger.warn({ reason }, 'Decisions do not reach the log; they wait.');
        isFailing = true;
        throw error;
      }
    },
    bytesOf: decisionBytes,
    lingerMs: LINGER_MS,
    batchItemsMax: BATCH_ITEMS_MAX,
    batchBytesMax: BATCH_BYTES_MAX,
    queueItemsMax: QUEUE_ITEMS_MAX,
    queueBytesMax: QUEUE_BYTES_MAX,
    retry: HANDOVER_RETRY,
    onCount: (result, decisions) => counter.inc({ result }, decisions),
  });
  return {
    record(decision) {
      if (isKept(decision.decision_id, share)) outbox.add(decision);
    },
    async close(deadline) {
      await outbox.close(deadline);
      target.close();
    },
  };
}

/**
 * Whether a decision is among the share that is kept: the first 48 bits of SHA-256(decision id, 16
 * bytes), divided by 2^48, are below it. The same for a decision wherever it is asked.
 */
export function isKept(decisionId: Uuid, share: number): boolean {
  if (share >= 1) return true;
  return createHash('sha256').update(decisionId).digest().readUIntBE(0, 6) / 2 ** 48 < share;
}

/** The ingest role at a URL, entered by a key where it asks for one. */
export function httpTarget(
  url: string,
  apiKey: string | null,
  logger: Pick<Logger, 'warn'>,
): DecisionTarget {
  const caller = createHttpCaller(url, apiKey, 1);
  let wasRefused = false;
  const to = {
    path: '/v1/decisions',
    list: 'decisions',
    timeoutMs: HANDOVER_TIMEOUT_MS,
    onRefused(reason: string): void {
      if (!wasRefused) logger.warn({ reason }, 'Decisions are refused by the ingest role.');
      wasRefused = true;
    },
  };
  return {
    deliver: (decisions) => deliverList(caller, to, decisions.map(jsonOf)),
    close: () => caller.close(),
  };
}

function jsonOf(decision: Decision): string {
  return JSON.stringify({ ...decision, decision_id: formatUuid(decision.decision_id) });
}

/** About the bytes of its JSON, without making it. */
function decisionBytes({ request, eligible, excluded, slate }: Decision): number {
  return 1_500 + request.length * 2 + (eligible.length + excluded.length + slate.length) * 120;
}
