import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Offered {
  /** Requests a second; `null` = each connection asks again as soon as it was answered. */
  rate: number | null;
  connections: number;
  seconds: number;
  /** An answer after it is worth nothing to its caller. */
  limitMs: number;
}

/** What came back, by the second; of one run. */
export interface Answers {
  offered: number;
  /** The good answer, within the limit. */
  good: number;
  late: number;
  /** 503 with Retry-After. */
  shed: number;
  /** Every connection was waiting: the caller's own bound. */
  notSent: number;
  /** Anything else, a broken connection too: never what overload may do. */
  broken: number;
  p50Ms: number;
  p99Ms: number;
}

const TURN_MS = 2;
const END_OF_HEAD = Buffer.from('\r\n\r\n');

/**
 * Many callers in one process that cost next to nothing: the bytes of one request again and again,
 * one under way on each connection. `good` is the status of an answer that was hoped for.
 */
export async function offer(
  port: number,
  request: Buffer,
  good: number,
  { rate, connections, seconds, limitMs }: Offered,
): Promise<Answers> {
  const counts = { offered: 0, good: 0, late: 0, shed: 0, notSent: 0, broken: 0 };
  const tookMs: number[] = [];
  const idle: Caller[] = [];
  let isOver = false;
  const answered = (caller: Caller, answer: Answer): void => {
    if (answer.status === good && answer.ms <= limitMs) counts.good += 1;
    else if (answer.status === good) counts.late += 1;
    else if (answer.status === 503 && answer.hasRetryAfter) counts.shed += 1;
    else counts.broken += 1;
    tookMs.push(answer.ms);
    if (rate !== null || isOver) idle.push(caller);
    else ask(caller);
  };
  const ask = (caller: Caller): void => {
    counts.offered += 1;
    caller.ask(request);
  };
  const callers = Array.from({ length: connections }, () => new Caller(port, answered));
  idle.push(...callers);
  const startMs = performance.now();
  if (rate === null) for (const caller of idle.splice(0)) ask(caller);
  let due = 0;
  let lastMs = startMs;
  while (performance.now() - startMs < seconds * 1000) {
    await sleep(TURN_MS);
    const nowMs = performance.now();
    due += ((rate ?? 0) * (nowMs - lastMs)) / 1000;
    lastMs = nowMs;
    for (; due >= 1; due -= 1) {
      const caller = idle.pop();
      if (caller !== undefined) ask(caller);
      else {
        counts.offered += 1;
        counts.notSent += 1;
      }
    }
  }
  isOver = true;
  for (const caller of callers) caller.close();
  tookMs.sort((a, b) => a - b);
  const quantile = (q: number) =>
    Math.round((tookMs[Math.floor(q * tookMs.length)] ?? 0) * 10) / 10;
  const aSecond = Object.entries(counts).map(([name, n]) => [name, Math.round(n / seconds)]);
  return { ...Object.fromEntries(aSecond), p50Ms: quantile(0.5), p99Ms: quantile(0.99) } as Answers;
}

interface Answer {
  status: number;
  hasRetryAfter: boolean;
  ms: number;
}

/** One connection at a time, opened when it is first needed, with at most one request under way. */
class Caller {
  readonly #port: number;
  readonly #answered: (caller: Caller, answer: Answer) => void;
  #socket: Socket | null = null;
  #bytes: Buffer = Buffer.alloc(0);
  #askedMs: number | null = null;

  constructor(port: number, answered: (caller: Caller, answer: Answer) => void) {
    this.#port = port;
    this.#answered = answered;
  }

  ask(request: Buffer): void {
    this.#askedMs = performance.now();
    this.#socket ??= this.#open();
    this.#socket.write(request);
  }

  /** What is under way is not counted any more. */
  close(): void {
    this.#askedMs = null;
    this.#socket?.destroy();
  }

  #open(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    socket.on('data', (piece: Buffer) => this.#take(piece));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#socket = null;
      this.#end({ status: 0, hasRetryAfter: false });
    });
    return socket;
  }

  #take(piece: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? piece : Buffer.concat([this.#bytes, piece]);
    const end = this.#bytes.indexOf(END_OF_HEAD);
    if (end === -1) return;
    const head = this.#bytes.toString('latin1', 0, end).toLowerCase();
    const length = Number(/content-length: (\d+)/.exec(head)?.[1]);
    if (this.#bytes.length < end + END_OF_HEAD.length + length) return;
    this.#bytes = Buffer.alloc(0);
    this.#end({ status: Number(head.slice(9, 12)), hasRetryAfter: head.includes('retry-after:') });
  }

  #end(answer: Omit<Answer, 'ms'>): void {
    if (this.#askedMs === null) return;
    const ms = performance.now() - this.#askedMs;
    this.#askedMs = null;
    this.#answered(this, { ...answer, ms });
  }
}
