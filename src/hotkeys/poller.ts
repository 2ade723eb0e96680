import type { Clock } from '../clock.js';
import {
  type HotKeys,
  type HotPosition,
  type HotRead,
  type HotState,
  LANES,
  position,
} from './port.js';
import { type Schedule, wallSchedule } from './schedule.js';
import { type Logger, StateLog } from './state-log.js';

/** From here on a read that does not answer is logged as lost; it is not given up. */
const SLOW_READ_MS = 2_000;

/** All hot keys as of one state; never changed after it was handed over. */
export interface HotView {
  generation: string;
  state: HotState;
  values: ReadonlyMap<string, string>;
  /** Keys whose value differs from the view before; removed ones too. */
  changedKeys: ReadonlySet<string>;
}

export interface PollerOptions {
  hotKeys: HotKeys;
  pollIntervalMs: number;
  /** Called for each view that differs from the one before, at least in when it was written. */
  onChange(view: HotView): void;
  clock: Clock;
  logger: Logger;
  schedule?: Schedule;
}

export interface Poller {
  /** Reads now, or joins the read in flight; never rejects. */
  pollNow(): Promise<void>;
  /** Reads everything, as if nothing had been read before; what was read stands until then. */
  readAnew(): Promise<void>;
  /** When a whole state was last read, ms since the epoch; null = never. */
  readonly lastSuccessMs: number | null;
  /** The newest view; null = nothing was read yet. */
  readonly view: HotView | null;
  close(): Promise<void>;
}

/**
 * Keeps the newest view of the hot keys: one read in flight, the next one an interval after it
 * began. Whatever fails, is lost or goes back leaves the last view standing.
 */
export function createPoller(options: PollerOptions): Poller {
  return new HotKeyPoller(options);
}

class HotKeyPoller implements Poller {
  readonly #options: PollerOptions;
  readonly #schedule: Schedule;
  readonly #log: StateLog;
  #view: HotView | null = null;
  #since: HotPosition | null = null;
  #lastSuccessMs: number | null = null;
  #inFlight: Promise<void> | null = null;
  #cancelNext = (): void => {};
  #closed = false;

  constructor(options: PollerOptions) {
    this.#options = options;
    this.#schedule = options.schedule ?? wallSchedule;
    this.#log = new StateLog(options.logger, {
      ok: 'The hot keys are read again.',
      failing: 'The hot keys cannot be read; the last ones stand.',
    });
    void this.#loop();
  }

  get view(): HotView | null {
    return this.#view;
  }

  get lastSuccessMs(): number | null {
    return this.#lastSuccessMs;
  }

  pollNow(): Promise<void> {
    this.#inFlight ??= this.#poll().finally(() => {
      this.#inFlight = null;
    });
    return this.#inFlight;
  }

  async readAnew(): Promise<void> {
    await this.#inFlight; // It would set the position again.
    this.#since = null;
    await this.pollNow();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelNext();
    await this.#inFlight;
  }

  async #loop(): Promise<void> {
    let isOver = false;
    let isIntervalOver = false;
    const next = (): void => {
      if (isOver && isIntervalOver && !this.#closed) void this.#loop();
    };
    this.#cancelNext = this.#schedule(this.#options.pollIntervalMs, () => {
      isIntervalOver = true;
      next();
    });
    await this.pollNow();
    isOver = true;
    next();
  }

  async #poll(): Promise<void> {
    if (this.#closed) return;
    const cancelSlow = this.#schedule(SLOW_READ_MS, () => {
      this.#log.failing('poller', `no answer for ${SLOW_READ_MS} ms`);
    });
    try {
      const read = await this.#options.hotKeys.read(this.#since);
      const reason = this.#accept(read);
      // Before the first state was written there is nothing to miss: readiness says so.
      const isYoung = read === null && this.#view === null;
      if (reason === null || isYoung) this.#log.ok('poller');
      else this.#log.failing('poller', reason);
    } catch (error) {
      this.#log.failing('poller', error);
    } finally {
      cancelSlow();
    }
  }

  /** Null, or why the last view stands. */
  #accept(read: HotRead | null): string | null {
    if (read === null) return 'no whole state is there';
    if (goesBack(this.#view, read)) return 'the state is older than the one that was read before';
    const view = nextView(this.#view, read);
    // Where its user cannot take it, the last view stands, and changes are read from there again.
    if (isNews(this.#view, view)) this.#options.onChange(view);
    this.#view = view;
    this.#since = position(read);
    this.#lastSuccessMs = this.#options.clock.nowMs();
    return null;
  }
}

/** Within a generation no lane's version goes back, whatever was lost and made anew. */
function goesBack(view: HotView | null, read: HotRead): boolean {
  if (view === null || view.generation !== read.generation) return false;
  const before = view.state.lanes;
  const after = read.state.lanes;
  return LANES.some((lane) => (after[lane]?.version ?? 0) < (before[lane]?.version ?? 0));
}

function nextView(view: HotView | null, read: HotRead): HotView {
  const { generation, state, changed, complete } = read;
  const before = view?.values ?? new Map<string, string>();
  const values = new Map(complete ? [] : before);
  const changedKeys = new Set<string>();
  for (const [key, value] of changed) {
    if (value === null) values.delete(key);
    else values.set(key, value);
    if (before.get(key) !== values.get(key)) changedKeys.add(key);
  }
  if (complete) for (const key of before.keys()) if (!values.has(key)) changedKeys.add(key);
  return { generation, state, values, changedKeys };
}

function isNews(before: HotView | null, after: HotView): boolean {
  if (before === null || before.generation !== after.generation) return true;
  if (before.state.writeId !== after.state.writeId) return true;
  return LANES.some(
    (lane) => before.state.lanes[lane]?.writtenAtMs !== after.state.lanes[lane]?.writtenAtMs,
  );
}
