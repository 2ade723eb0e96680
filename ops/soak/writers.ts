import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { wallClock } from '../../src/clock.js';
import { decode } from '../../src/event/decode.js';
import { encodeRecord } from '../../src/event/encode.js';
import { offeringKey } from '../../src/event/offering-key.js';
import type { RequestOutcome } from '../../src/event/outcome.js';
import { partitionOf } from '../../src/event/partition.js';
import { formatUuid, uuidV7 } from '../../src/event/uuid.js';
import type { LogWriter } from '../../src/log/port.js';
import { createPublisher } from '../../src/publish/publisher.js';
import type { Ledger } from './ledger.js';

export interface WriterOptions {
  /** For the publisher, and for the producer of single events. */
  logs: readonly [LogWriter, LogWriter];
  topic: string;
  partitions: number;
  ledger: Ledger;
  /** For the publisher's spool. */
  spoolDir: string;
  ingestUrl: string;
  nextOutcome(): RequestOutcome;
  /** Outcomes a second, over all writers. */
  rate: number;
}

/** One of those who write outcomes, in its own way. */
interface Writer {
  /** Its part of the load; the rest is the publisher's. */
  share: number;
  /** Takes responsibility, or refuses for want of room. */
  take(outcome: RequestOutcome): boolean;
  close(): Promise<void>;
}

export interface Writers {
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

const TURN_MS = 20;
const TURN_MS_MAX = 5 * TURN_MS;
const SHARE_HTTP = 0.1;
const SHARE_ALONE = 0.3;
/** What a writer holds at most while the log is away. */
const WAITING_MAX = 50_000;
const HTTP_ITEMS_MAX = 200;
const ALONE_RECORDS_MAX = 100;
const REPEAT_MS = 100;

/**
 * A continuous load in the three ways in: the publisher, HTTP, and a producer of single events
 * that repeats what was not acknowledged. They stop for nothing; what has no room is not made.
 */
export function startWriters(options: WriterOptions): Writers {
  const http = httpWriter(options);
  const alone = aloneWriter(options);
  const publisher = publisherWriter(options);
  let isPaused = false;
  let due = 0;
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    // What a busy machine did not come to is not made up for: it would do nothing else.
    const passedMs = Math.min(nowMs - lastMs, TURN_MS_MAX);
    due += isPaused ? 0 : (passedMs * options.rate) / 1000;
    lastMs = nowMs;
    for (; due >= 1; due -= 1) {
      const draw = Math.random();
      const writer = draw < http.share ? http : draw < http.share + alone.share ? alone : publisher;
      if (writer.take(options.nextOutcome())) options.ledger.recorded += 1;
    }
  }, TURN_MS);
  return {
    pause: () => {
      isPaused = true;
    },
    resume: () => {
      isPaused = false;
    },
    async close() {
      clearInterval(timer);
      await Promise.all([http.close(), alone.close(), publisher.close()]);
    },
  };
}

/** As services write: in batches, with a spool. */
function publisherWriter(options: WriterOptions): Writer {
  const { topic, partitions, spoolDir, ledger } = options;
  const [log] = options.logs;
  const watched: LogWriter = {
    async append(name, partition, records) {
      const offset = await log.append(name, partition, records);
      for (const { value, headers } of records) {
        const decoded = decode(value, headers ?? {});
        if ('failed' in decoded || decoded.type !== 'OutcomeBatch') continue;
        ledger.acknowledge(decoded.value.outcomes.map((outcome) => outcome.event_id));
      }
      return offset;
    },
  };
  const publisher = createPublisher({
    log: watched,
    topic,
    partitions,
    clock: wallClock,
    publisherId: () => uuidV7(Date.now(), randomBytes(16)),
    lingerMs: 50,
    queueMax: WAITING_MAX,
    spoolDir,
    spoolBytesMax: 2 ** 30,
    retry: { initialMs: 50, maxMs: 2_000 },
  });
  return {
    share: 1 - SHARE_HTTP - SHARE_ALONE,
    take: (outcome) => publisher.record(outcome) === 'accepted',
    close: () => publisher.close({ deadlineMs: 5_000 }),
  };
}

/** As services write that have no client: the same ids again until the answer is 202. */
function httpWriter({ ingestUrl, ledger }: WriterOptions): Writer {
  const send = async (outcomes: readonly RequestOutcome[]): Promise<boolean> => {
    const body = { outcomes: outcomes.map((each) => ({ ...each, event_id: idText(each) })) };
    const response = await fetch(`${ingestUrl}/v1/outcomes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    if (response.status >= 400 && response.status < 500) throw new Error(`ingest: ${text}`);
    return response.status === 202;
  };
  return { share: SHARE_HTTP, ...repeating(HTTP_ITEMS_MAX, ledger, send) };
}

const idText = (outcome: RequestOutcome): string => formatUuid(outcome.event_id);

/** As any Kafka producer writes: a record an event, many an append. */
function aloneWriter({ logs, topic, partitions, ledger }: WriterOptions): Writer {
  const [, log] = logs;
  const lanes = Array.from({ length: partitions }, (_, partition) =>
    repeating(ALONE_RECORDS_MAX, ledger, async (outcomes) => {
      const records = outcomes.map((outcome) => ({
        key: Buffer.from(offeringKey(outcome)),
        value: encodeRecord('RequestOutcome', outcome),
      }));
      await log.append(topic, partition, records);
      return true;
    }),
  );
  return {
    share: SHARE_ALONE,
    take: (outcome) => lanes[partitionOf(offeringKey(outcome), partitions)]!.take(outcome),
    close: async () => {
      await Promise.all(lanes.map((lane) => lane.close()));
    },
  };
}

/** One call at a time, the same outcomes again until it answers true. */
function repeating(
  itemsMax: number,
  ledger: Ledger,
  send: (outcomes: readonly RequestOutcome[]) => Promise<boolean>,
): Omit<Writer, 'share'> {
  const waiting: RequestOutcome[] = [];
  let isClosed = false;
  const run = async (): Promise<void> => {
    while (!isClosed) {
      const outcomes = waiting.splice(0, itemsMax);
      if (outcomes.length === 0) await sleep(TURN_MS);
      else await sendUntilTaken(outcomes);
    }
  };
  const sendUntilTaken = async (outcomes: readonly RequestOutcome[]): Promise<void> => {
    while (!isClosed) {
      if (await send(outcomes).catch(() => false)) {
        ledger.acknowledge(outcomes.map((outcome) => outcome.event_id));
        return;
      }
      await sleep(REPEAT_MS);
    }
  };
  const running = run();
  return {
    take(outcome) {
      if (waiting.length >= WAITING_MAX) return false;
      waiting.push(outcome);
      return true;
    },
    async close() {
      isClosed = true;
      await running;
    },
  };
}
