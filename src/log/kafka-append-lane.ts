import type { Message, RecordMetadata } from 'kafkajs';
import { AiRouterError } from '../errors.js';
import { asLogError } from './kafka-errors.js';
import { toMessage } from './kafka-records.js';
import type { NewRecord, TopicPartition } from './port.js';
import { within } from './within.js';

/** An idempotent producer, connected, that no other lane uses. */
export interface LaneProducer {
  send(topic: string, messages: Message[]): Promise<RecordMetadata[]>;
  /** At once and for good: nothing of it reaches the log any more. */
  end(): void;
}

export interface AppendLaneOptions {
  place: TopicPartition;
  /** `invalid_usage` where there is no such partition. */
  open(): Promise<LaneProducer>;
  /** Of connecting, and from the first byte to the acknowledgement; then it is given up. */
  deadlineMs: number;
  /** Of one producer. */
  recordsMax?: number;
}

/** Kafka numbers the records of a producer and partition with 31 bits; half of that is plenty. */
const PRODUCER_RECORDS_MAX = 2 ** 30;

/**
 * Appends to one partition through a producer of its own, one send at a time.
 *
 * kafkajs 2.2.4 acknowledges records that it never wrote, in two ways. A send to several leaders,
 * one of which changes: hence one partition a send, and a reply that must name it. A send that
 * rejects after its bytes reached the log gives its sequence numbers back; the next send takes
 * them, and the broker answers it as the repeat of the first: hence a producer ends with the first
 * send that rejects, is given up, or is answered with an offset that is not new. The caller sends
 * the same bytes again, through a new producer.
 */
export class AppendLane {
  readonly #options: AppendLaneOptions;
  #producer: LaneProducer | null = null;
  /** Records that the producer has sent. */
  #sent = 0;
  /** Last offset that was acknowledged, whoever was the producer. */
  #offsetLast = -1;
  #tail: Promise<unknown> = Promise.resolve();
  #lastUsedMs = 0;
  #isClosed = false;

  constructor(options: AppendLaneOptions) {
    this.#options = options;
  }

  /** Resolves with the offset of the first record. Calls that overlap are made one by one. */
  append(records: readonly NewRecord[]): Promise<number> {
    const appended = this.#tail.then(() => this.#append(records));
    this.#tail = appended.catch(() => {});
    return appended;
  }

  /** Ends a producer that was not used for so long; the next append makes another one. */
  rest(idleMs: number): void {
    if (performance.now() - this.#lastUsedMs > idleMs) this.#end();
  }

  /** What is under way rejects. */
  close(): void {
    this.#isClosed = true;
    this.#end();
  }

  async #append(records: readonly NewRecord[]): Promise<number> {
    const { topic, partition } = this.#options.place;
    // A send under way is no idleness, however long it takes.
    this.#lastUsedMs = Number.POSITIVE_INFINITY;
    try {
      const first = await this.#send(await this.#open(), records);
      if (this.#sent >= (this.#options.recordsMax ?? PRODUCER_RECORDS_MAX)) this.#end();
      return first;
    } catch (error) {
      this.#end();
      throw asLogError(error, `Append to ${topic}/${partition}`);
    } finally {
      this.#lastUsedMs = performance.now();
    }
  }

  async #open(): Promise<LaneProducer> {
    if (this.#producer !== null) return this.#producer;
    const opening = this.#options.open();
    try {
      const producer = await within(opening, this.#options.deadlineMs, 'no connection in time');
      if (this.#isClosed) throw new Error('the log was closed');
      this.#producer = producer;
      return producer;
    } catch (error) {
      // It may still come, and is not wanted then.
      opening.then(
        (producer) => producer.end(),
        () => {},
      );
      throw error;
    }
  }

  async #send(producer: LaneProducer, records: readonly NewRecord[]): Promise<number> {
    const { place, deadlineMs } = this.#options;
    const isFirst = this.#sent === 0;
    const messages = records.map((record) => toMessage(place.partition, record));
    this.#sent += records.length;
    const sending = producer.send(place.topic, messages);
    const first = acknowledgedOffset(await within(sending, deadlineMs, 'no answer in time'), place);
    if (first <= this.#offsetLast) {
      const last = this.#offsetLast;
      // A producer's first send repeats nothing: the log itself has begun anew.
      if (isFirst) this.#offsetLast = -1;
      throw notWritten(`offset ${first} is not above ${last}, which was acknowledged before`);
    }
    this.#offsetLast = first + records.length - 1;
    return first;
  }

  #end(): void {
    this.#producer?.end();
    this.#producer = null;
    this.#sent = 0;
  }
}

/** Offset of the first record, if the reply is for exactly this partition and without error. */
function acknowledgedOffset(reply: readonly RecordMetadata[], place: TopicPartition): number {
  const [only] = reply;
  if (reply.length !== 1 || only === undefined) {
    throw notWritten(`the reply names ${reply.length} partitions`);
  }
  const { topicName, partition, errorCode, baseOffset } = only;
  if (topicName !== place.topic || partition !== place.partition) {
    throw notWritten(`the reply is for ${topicName}/${partition}`);
  }
  const offset = Number(baseOffset);
  if (errorCode !== 0 || baseOffset === undefined || !Number.isSafeInteger(offset) || offset < 0) {
    throw notWritten(`the reply has error ${errorCode} and offset ${baseOffset}`);
  }
  return offset;
}

function notWritten(reason: string): AiRouterError {
  return new AiRouterError('log_unavailable', `The append is not acknowledged: ${reason}.`);
}
