import type { Clock } from '../clock.js';
import { AiRouterError } from '../errors.js';
import { LaneWriter } from './lane-writer.js';
import type { HotKeys, Lane } from './port.js';
import { refreshLane } from './refresh-lane.js';
import { type Schedule, wallSchedule } from './schedule.js';
import type { HotSource } from './source.js';
import { type Logger, StateLog } from './state-log.js';

export type { HotSource } from './source.js';

/** Three rounds of attempts: who waits for longer waits for a Redis that is away. */
const SETTLE_TIMEOUT_MS = 10_000;

export interface RefresherOptions {
  source: HotSource;
  hotKeys: HotKeys;
  clock: Clock;
  logger: Logger;
  /** The metrics lane is written at most this often, but at once at the end of a log. */
  metricsIntervalMs?: number;
  /**
   * How often lifetimes are renewed, a loss is looked for and the generation is read: the longest
   * that a new reader waits after a loss, and how old `writtenAtMs` grows while nothing happens.
   * Far below the shortest lifetime, 60 s.
   */
  reconcileIntervalMs?: number;
  schedule?: Schedule;
  /** Of [0, 1), for the jitter of retries. */
  random?: () => number;
}

export interface Refresher {
  /** After each commit; never waits. `caughtUp`: the partition is at the end of its log. */
  notify(info: { caughtUp: boolean }): void;
  /** Resolves when everything notified so far is written; rejects after `timeoutMs`. */
  settle(timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Writes the hot keys from committed rows. Any number of refreshers in any number of processes
 * work side by side: each write is conditional on the state that it was computed from.
 */
export function createRefresher(options: RefresherOptions): Refresher {
  return new HotKeyRefresher(options);
}

class HotKeyRefresher implements Refresher {
  readonly #source: HotSource;
  readonly #hotKeys: HotKeys;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #schedule: Schedule;
  readonly #random: () => number;
  readonly #reconcileIntervalMs: number;
  readonly #log: StateLog;
  readonly #behindLog: StateLog;
  readonly #health: LaneWriter;
  readonly #metrics: LaneWriter;
  #generation: string | null = null;
  #reconciling: Promise<void>;
  #cancelReconcile = (): void => {};
  #closed = false;

  constructor(options: RefresherOptions) {
    this.#source = options.source;
    this.#hotKeys = options.hotKeys;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#schedule = options.schedule ?? wallSchedule;
    this.#random = options.random ?? Math.random;
    this.#reconcileIntervalMs = options.reconcileIntervalMs ?? 2_000;
    this.#log = new StateLog(options.logger, {
      ok: 'The hot keys are written again.',
      failing: 'The hot keys cannot be written; they are tried again until they can.',
    });
    this.#behindLog = new StateLog(options.logger, {
      ok: 'The database has reached the hot keys again.',
      failing: 'The database stands below the hot keys; they stay as they are until it is there.',
    });
    this.#health = this.#createLane('health', 0);
    this.#metrics = this.#createLane('metrics', options.metricsIntervalMs ?? 1_000);
    this.#reconciling = this.#reconcileAndPlanNext();
  }

  notify({ caughtUp }: { caughtUp: boolean }): void {
    this.#health.request({ atOnce: true });
    this.#metrics.request({ atOnce: caughtUp });
  }

  async settle(timeoutMs = SETTLE_TIMEOUT_MS): Promise<void> {
    let cancel = (): void => {};
    const timeout = new Promise<never>((_, reject) => {
      cancel = this.#schedule(timeoutMs, () => reject(notSettled(timeoutMs)));
    });
    const lanes = Promise.all([this.#health.settled(), this.#metrics.settled()]);
    await Promise.race([lanes, timeout]).finally(cancel);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelReconcile();
    await Promise.all([this.#health.close(), this.#metrics.close()]);
    await this.#reconciling;
  }

  #createLane(lane: Lane, intervalMs: number): LaneWriter {
    return new LaneWriter({
      intervalMs,
      schedule: this.#schedule,
      random: this.#random,
      write: (remake) => this.#writeLane(lane, remake),
    });
  }

  async #writeLane(lane: Lane, remake: boolean): Promise<boolean> {
    try {
      this.#generation ??= await this.#source.generation();
      const outcome = await refreshLane({
        source: this.#source,
        hotKeys: this.#hotKeys,
        clock: this.#clock,
        generation: this.#generation,
        lane,
        remake,
      });
      this.#log.ok(lane);
      if (outcome.result === 'contended') return false;
      if (outcome.result === 'behind') {
        const { version, storedVersion } = outcome;
        this.#behindLog.failing(lane, `version ${version} is below ${storedVersion}`);
        return true;
      }
      this.#behindLog.ok(lane);
      return true;
    } catch (error) {
      this.#log.failing(lane, error);
      return false;
    }
  }

  async #reconcileAndPlanNext(): Promise<void> {
    try {
      await this.#reconcile();
      this.#log.ok('reconcile');
    } catch (error) {
      if (!this.#closed) this.#log.failing('reconcile', error);
    }
    if (this.#closed) return;
    this.#cancelReconcile = this.#schedule(this.#reconcileIntervalMs, () => {
      this.#reconciling = this.#reconcileAndPlanNext();
    });
  }

  /**
   * Readers are pointed at the generation once it is whole. What is in force is read before the
   * database is asked for it, and the change is conditional on it: a slow reconciler cannot put an
   * older generation back. It is read after the lanes were written: a loss meanwhile took it too.
   */
  async #reconcile(): Promise<void> {
    const generation = await this.#source.generation();
    const isNew = generation !== this.#generation;
    this.#generation = generation;
    if (isNew || (await this.#hotKeys.isLost(generation))) {
      if (!isNew) this.#logger.warn({ generation }, 'Hot keys were lost; all are written again.');
      this.#health.requestRemake();
      this.#metrics.requestRemake();
    } else {
      this.#health.request({ atOnce: true });
      this.#metrics.request({ atOnce: true });
    }
    await Promise.all([this.#health.settled(), this.#metrics.settled()]);
    const inForce = await this.#hotKeys.generation();
    if (inForce === generation || (await this.#source.generationInForce()) !== generation) return;
    await this.#hotKeys.setGeneration(inForce, generation);
  }
}

function notSettled(timeoutMs: number): AiRouterError {
  return new AiRouterError(
    'hot_keys_unavailable',
    `The hot keys were not written within ${timeoutMs} ms.`,
  );
}
