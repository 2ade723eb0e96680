import { AiRouterError, type ErrorCode } from '../../src/errors.js';
import type { Random } from './random.js';
import type { Trace } from './trace.js';

/** A process of the simulated system. What is dead is never continued. */
export interface Process {
  readonly name: string;
  isAlive: boolean;
  /** Stopped for now: it gets no answers and no timers, while its requests are under way. */
  isStalled: boolean;
}

export type Service = 'log' | 'store' | 'hot keys';

const UNAVAILABLE: Readonly<Record<Service, ErrorCode>> = {
  log: 'log_unavailable',
  store: 'database_unavailable',
  'hot keys': 'hot_keys_unavailable',
};

/** A call of an adapter on its way to its service; nobody may wait for it any more. */
interface Request {
  kind: 'request';
  process: Process;
  service: Service;
  text: string;
  /** Its effect may come after the caller was told that it failed. */
  isWrite: boolean;
  effect: () => unknown;
  waiter: Waiter | null;
}

interface Waiter {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** A service as one process calls it. */
export type Call = <T>(text: string, isWrite: boolean, effect: () => T | Promise<T>) => Promise<T>;

/** Something that reaches a process. */
interface Signal {
  kind: 'signal';
  process: Process;
  text: string;
  deliver(): void;
}

type Step = Request | Signal;

export interface Timer {
  process: Process;
  dueMs: number;
  run(): void;
}

/** Shares of what becomes of a request while there are faults; the rest is done and answered. */
const REFUSED_SHARE = 0.03;
const UNKNOWN_SHARE = 0.02;
const LATE_SHARE = 0.02;
/** An answer comes in the step of its effect, so that fewer steps do. */
const ANSWERED_AT_ONCE_SHARE = 0.7;
const TIMER_SHARE = 0.12;
/** No request is under way for longer while nothing else happens. */
const WAIT_MS_MAX = 60_000;

const nextTurn = setImmediate;

/**
 * The one who decides what happens next: a request reaches its service, an answer its caller, or
 * time passes up to the next timer. Between two steps every process stands at an await, and a
 * crash may come.
 */
export class Scheduler {
  readonly random: Random;
  readonly trace: Trace;
  /** Services that refuse everything. */
  readonly away = new Set<Service>();
  hasFaults = true;
  nowMs: number;
  /** Whose code is running: timers and draws are its own. */
  current: Process | null = null;
  #steps: Step[] = [];
  readonly #timers = new Set<Timer>();

  constructor(random: Random, trace: Trace, nowMs: number) {
    this.random = random;
    this.trace = trace;
    this.nowMs = nowMs;
  }

  /** An adapter's calls: their effects and their answers happen when they are picked. */
  caller(process: Process, service: Service): Call {
    return <T>(text: string, isWrite: boolean, effect: () => T | Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        if (!process.isAlive) return;
        const waiter = { resolve: resolve as (value: unknown) => void, reject };
        this.#steps.push({ kind: 'request', process, service, text, isWrite, effect, waiter });
      });
  }

  /** Something for a process to be told, once it is picked. */
  signal(process: Process, text: string, deliver: () => void): void {
    this.#steps.push({ kind: 'signal', process, text, deliver });
  }

  hasSignal(process: Process, text: string): boolean {
    return this.#steps.some((step) => step.process === process && step.text === text);
  }

  /** True while anything but a timer is to come for the process. */
  hasSteps(process: Process): boolean {
    return this.#steps.some((step) => step.process === process);
  }

  setTimer(delayMs: number, run: () => void): Timer {
    const dueMs = this.nowMs + Math.max(1, Math.ceil(delayMs));
    const timer = { process: this.current!, dueMs, run };
    this.#timers.add(timer);
    return timer;
  }

  clearTimer(timer: Timer): void {
    this.#timers.delete(timer);
  }

  /** Runs code of a process up to its next awaits. */
  async run(process: Process, text: string, code: () => void): Promise<void> {
    this.trace.add(this.nowMs, `${process.name} ${text}`);
    await this.#enter(process, code);
  }

  /** One step; false where there is none to take. Without `mayPassTime` no timer runs out. */
  async step(mayPassTime = true): Promise<boolean> {
    const ready = this.#steps.filter(isReady);
    const timer = mayPassTime ? this.#nextTimer() : null;
    if (ready.length === 0 && timer === null) return false;
    const mayWait = ready.length === 0 || (timer?.dueMs ?? 0) < this.nowMs + WAIT_MS_MAX;
    if (timer !== null && mayWait && (ready.length === 0 || this.random.chance(TIMER_SHARE))) {
      await this.#fire(timer);
      return true;
    }
    const step = this.random.pick(ready);
    this.#steps.splice(this.#steps.indexOf(step), 1);
    if (step.kind === 'request') await this.#perform(step);
    else await this.run(step.process, step.text, step.deliver);
    return true;
  }

  /**
   * The process is gone, with its memory and timers. Of what it had sent, each request did not
   * arrive, has just been done, or arrives later; nobody hears the answers.
   */
  async crash(process: Process): Promise<void> {
    process.isAlive = false;
    this.trace.add(this.nowMs, `${process.name} crashes`);
    for (const timer of this.#timers) if (timer.process === process) this.#timers.delete(timer);
    const own = this.#steps.filter((step) => step.process === process);
    this.#steps = this.#steps.filter((step) => step.process !== process);
    for (const step of own) {
      if (step.kind === 'signal' || !step.isWrite || this.random.chance(0.34)) continue;
      step.waiter = null;
      if (this.random.chance(0.5)) this.#steps.push(step);
      else await this.#perform(step);
    }
  }

  /** Writes that are under way arrive now or never: longer than this no network holds them. */
  async settleWrites(): Promise<void> {
    const writes = this.#steps.filter((step) => step.kind === 'request' && step.isWrite);
    for (const step of writes) {
      this.#steps.splice(this.#steps.indexOf(step), 1);
      await this.#perform(step as Request);
    }
  }

  async #perform(request: Request): Promise<void> {
    const { process, service, text, waiter } = request;
    const fate = this.#fate(request);
    if (fate === 'late') this.#steps.push({ ...request, waiter: null });
    const outcome = fate === 'done' || fate === 'unknown' ? await doEffect(request) : null;
    const result = outcome !== null && 'error' in outcome ? outcome.error.code : fate;
    const suffix = waiter === null ? ' unheard' : '';
    this.trace.add(this.nowMs, `${process.name} ${text}: ${result}${suffix}`);
    if (waiter === null) return;
    const deliver = (): void => {
      if (fate !== 'done' || outcome === null) waiter.reject(unavailable(service, fate));
      else if ('error' in outcome) waiter.reject(outcome.error);
      else waiter.resolve(outcome.value);
    };
    if (!process.isStalled && this.random.chance(ANSWERED_AT_ONCE_SHARE)) {
      await this.#enter(process, deliver);
    } else {
      this.#steps.push({ kind: 'signal', process, text: `is answered: ${text}`, deliver });
    }
  }

  #fate({ service, isWrite, waiter }: Request): 'done' | 'refused' | 'unknown' | 'late' {
    if (this.away.has(service)) return 'refused';
    if (!this.hasFaults || waiter === null) return 'done';
    const draw = this.random.unit();
    if (draw < REFUSED_SHARE) return 'refused';
    if (draw < REFUSED_SHARE + UNKNOWN_SHARE) return 'unknown';
    return isWrite && draw < REFUSED_SHARE + UNKNOWN_SHARE + LATE_SHARE ? 'late' : 'done';
  }

  #nextTimer(): Timer | null {
    let next: Timer | null = null;
    for (const timer of this.#timers) {
      if (!timer.process.isStalled && timer.dueMs < (next?.dueMs ?? Infinity)) next = timer;
    }
    return next;
  }

  async #fire(timer: Timer): Promise<void> {
    this.#timers.delete(timer);
    this.nowMs = Math.max(this.nowMs, timer.dueMs);
    await this.run(timer.process, 'timer', timer.run);
  }

  async #enter(process: Process, code: () => void): Promise<void> {
    this.current = process;
    try {
      code();
      // All that follows without waiting for a step has run by the next turn of the event loop.
      await new Promise<void>((resolve) => nextTurn(resolve));
    } finally {
      this.current = null;
    }
  }
}

function isReady(step: Step): boolean {
  return step.kind === 'request' || !step.process.isStalled;
}

async function doEffect({
  effect,
}: Request): Promise<{ value: unknown } | { error: AiRouterError }> {
  try {
    return { value: await effect() };
  } catch (error) {
    if (error instanceof AiRouterError) return { error };
    throw error;
  }
}

function unavailable(service: Service, fate: string): AiRouterError {
  return new AiRouterError(UNAVAILABLE[service], `The ${service} did not answer (${fate}).`);
}
