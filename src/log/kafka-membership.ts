import type { Consumer } from 'kafkajs';
import { backoffMs, pause, READ_RETRY } from '../backoff.js';
import { AiRouterError } from '../errors.js';
import type { OpenKafka } from './kafka-client.js';
import { asLogError } from './kafka-errors.js';
import type { TopicPartition } from './port.js';
import { within } from './within.js';

export interface MembershipOptions {
  open(): OpenKafka;
  group: string;
  topics: readonly string[];
  /** Without a beat for so long, a member's partitions go to others. */
  sessionTimeoutMs: number;
  /** Without a beat for so long, and a session longer while it joins, it is made anew. */
  watchdogMs: number;
  /** All partitions that are this member's from now on. */
  onAssigned(places: readonly TopicPartition[]): void;
  onTrouble(error: unknown, delayMs: number): void;
}

export interface GroupOffset extends TopicPartition {
  offsetNext: number;
}

/** Ten beats fit into a session. */
const BEATS_A_SESSION = 10;
/** How often the group's members look whether a beat is due. */
const LOOK_INTERVAL_MS = 250;
/** Longest goodbye to the group: without it the others wait a session. Half of what a stop may take. */
const LEAVE_TIMEOUT_MS = 2_500;
/** Longest wait until the group has let a new member in; it goes on trying behind it. */
const START_TIMEOUT_MS = 60_000;

/**
 * Takes part in a Kafka group, and only that: kafkajs joins, beats and says which partitions are
 * this member's; all of them are paused, so that it fetches nothing.
 *
 * Whatever ends a kafkajs consumer (a crash that it would not recover from, no beat for
 * `watchdogMs`), it is thrown away and made anew, after a growing pause. Partitions stay with this
 * member until the group must have given them away: when a session has passed without a beat,
 * `onAssigned` is called with none; when the next beat succeeds, with what it had.
 */
export class KafkaMembership {
  readonly #options: MembershipOptions;
  readonly #closing = new AbortController();
  #consumer: Consumer | null = null;
  #assigned: readonly TopicPartition[] = [];
  #isExpired = false;
  #beatAtMs = 0;
  #failures = 0;
  #joined: () => void = () => {};
  #running: Promise<void> = Promise.resolve();

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** Resolves once the group has taken this member in; goes on trying until then. */
  async start(): Promise<void> {
    const joined = new Promise<void>((resolve) => {
      this.#joined = resolve;
    });
    this.#running = this.#run();
    try {
      await within(joined, START_TIMEOUT_MS, 'the group took no member in');
    } catch (error) {
      await this.close();
      throw asLogError(error, `Group ${this.#options.group}`);
    }
  }

  /** Tells the group's offsets, which are for Kafka's own tools: nobody here reads them. */
  async tell(offsets: readonly GroupOffset[]): Promise<void> {
    await this.#consumer?.commitOffsets(
      offsets.map(({ topic, partition, offsetNext }) => ({
        topic,
        partition,
        offset: String(offsetNext),
      })),
    );
  }

  /** Leaves the group. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const watching = setInterval(() => this.#expire(), LOOK_INTERVAL_MS);
    while (!signal.aborted) {
      const ending = await this.#takePart();
      if (signal.aborted) break;
      this.#failures += 1;
      const delayMs = backoffMs(this.#failures, READ_RETRY);
      this.#options.onTrouble(asLogError(ending, `Group ${this.#options.group}`), delayMs);
      await pause(delayMs, signal);
    }
    clearInterval(watching);
  }

  /** Resolves with why it ended. */
  async #takePart(): Promise<unknown> {
    const { open, group, sessionTimeoutMs } = this.#options;
    const { kafka, end } = open();
    const consumer = kafka.consumer({
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs,
      heartbeatInterval: Math.ceil(sessionTimeoutMs / BEATS_A_SESSION),
      maxWaitTimeInMs: LOOK_INTERVAL_MS,
      allowAutoTopicCreation: false,
      metadataMaxAge: 60_000,
      retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: notHere },
    });
    const ending = this.#endOf(consumer);
    try {
      // Also while it connects and joins: either may hang.
      return await Promise.race([ending, this.#begin(consumer).then(() => ending)]);
    } catch (error) {
      return error;
    } finally {
      this.#consumer = null;
      // What cannot be reached learns it from the session's end.
      await within(consumer.disconnect(), LEAVE_TIMEOUT_MS, '').catch(() => {});
      end();
    }
  }

  async #begin(consumer: Consumer): Promise<void> {
    await consumer.connect();
    await consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: fetchesNothing,
    });
    this.#consumer = consumer;
  }

  /** Resolves with the reason when the consumer crashes, is stuck, or is told to close. */
  #endOf(consumer: Consumer): Promise<unknown> {
    const { GROUP_JOIN, HEARTBEAT, REBALANCING, CRASH } = consumer.events;
    const { sessionTimeoutMs, watchdogMs } = this.#options;
    // The group waits up to a session for members that are gone. Who gives up before is one more
    // member that the next try has to wait for.
    const joinMs = sessionTimeoutMs + watchdogMs;
    return new Promise((resolve) => {
      let stuck: NodeJS.Timeout | undefined;
      const endAfter = (limitMs: number): void => {
        clearTimeout(stuck);
        stuck = setTimeout(() => end(noBeat()), limitMs);
      };
      const stopListening = [
        consumer.on(CRASH, ({ payload }) => end(payload.error)),
        consumer.on(REBALANCING, () => endAfter(joinMs)),
        consumer.on(HEARTBEAT, () => {
          endAfter(watchdogMs);
          this.#beat();
        }),
        consumer.on(GROUP_JOIN, ({ payload }) => {
          endAfter(watchdogMs);
          this.#join(consumer, placesOf(payload.memberAssignment));
        }),
      ];
      const close = (): void => end('closed');
      const end = (reason: unknown): void => {
        clearTimeout(stuck);
        for (const stop of stopListening) stop();
        this.#closing.signal.removeEventListener('abort', close);
        resolve(reason);
      };
      this.#closing.signal.addEventListener('abort', close);
      endAfter(joinMs);
    });
  }

  /** Called before the first fetch: so nothing is ever fetched. */
  #join(consumer: Consumer, places: readonly TopicPartition[]): void {
    consumer.pause(this.#options.topics.map((topic) => ({ topic })));
    this.#isExpired = false;
    this.#beat();
    this.#assigned = places;
    this.#options.onAssigned(places);
    this.#joined();
  }

  #beat(): void {
    this.#beatAtMs = performance.now();
    this.#failures = 0;
    if (!this.#isExpired) return;
    this.#isExpired = false;
    this.#options.onAssigned(this.#assigned);
  }

  #expire(): void {
    const isOver = performance.now() - this.#beatAtMs > this.#options.sessionTimeoutMs;
    if (!isOver || this.#isExpired || this.#assigned.length === 0) return;
    this.#isExpired = true;
    this.#options.onAssigned([]);
  }
}

/** Instead of kafkajs, which restarts only after some kinds of errors, we always do. */
const notHere = async (): Promise<boolean> => false;
const fetchesNothing = async (): Promise<void> => {};

function noBeat(): AiRouterError {
  return new AiRouterError('log_unavailable', 'no beat reached the group');
}

function placesOf(assignment: Record<string, number[]>): TopicPartition[] {
  return Object.entries(assignment).flatMap(([topic, partitions]) =>
    partitions.map((partition) => ({ topic, partition })),
  );
}
