import { randomBytes } from 'node:crypto';
import { type Clock, wallClock } from '../clock.js';
import { checkGeneration, checkWrite, REVISIONS_KEPT, STATE_TTL_MS, ttlMs } from './check-write.js';
import {
  FIGURES_TTL_SECONDS,
  type HotKeys,
  type HotPosition,
  type HotRead,
  type HotState,
  type HotWrite,
  type Lane,
  type StoredLane,
  type StoreFigures,
} from './port.js';

interface Entry {
  /** Null = removed; kept while a reader may ask for changes since then. */
  value: string | null;
  lane: Lane;
  /** When it changed. */
  revision: number;
  expiresAtMs: number;
}

interface Generation {
  epoch: string;
  revision: number;
  /** Ids of the newest writes, newest first. */
  writeIds: string[];
  lanes: Record<Lane, StoredLane | null>;
  entries: Map<string, Entry>;
  expiresAtMs: number;
}

/** The hot keys in this process, with the lifetimes and losses of Redis. */
export function createMemoryHotKeys(clock: Clock = wallClock): HotKeys {
  return new MemoryHotKeys(clock);
}

class MemoryHotKeys implements HotKeys {
  readonly #clock: Clock;
  readonly #generations = new Map<string, Generation>();
  #inForce: string | null = null;
  #database = { text: '', expiresAtMs: 0 };
  /** Reads that found a whole state, and that did not. */
  #hits = 0;
  #misses = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async generation(): Promise<string | null> {
    return this.#inForce;
  }

  async setGeneration(expected: string | null, next: string): Promise<boolean> {
    checkGeneration(next);
    if (this.#inForce !== expected) return false;
    this.#inForce = next;
    return true;
  }

  async state(generation: string): Promise<HotState | null> {
    const found = this.#find(generation);
    return found === null ? null : stateOf(found);
  }

  async write(generation: string, expected: HotState | null, write: HotWrite): Promise<boolean> {
    checkGeneration(generation);
    checkWrite(expected, write);
    this.#dropExpired();
    const found = this.#find(generation);
    if ((found?.epoch ?? null) !== (expected?.epoch ?? null)) return false;
    const stored = found?.lanes[write.lane] ?? null;
    const known = expected?.lanes[write.lane] ?? null;
    if (stored?.writeId !== known?.writeId) return false;
    if (stored !== null && stored.version > write.next.version) return false;

    const target = found ?? newGeneration();
    this.#generations.set(generation, target);
    apply(target, stored, write, this.#clock.nowMs());
    return true;
  }

  async read(since: HotPosition | null): Promise<HotRead | null> {
    const generation = this.#inForce;
    const found = generation === null ? null : this.#find(generation);
    if (generation === null || found === null || !this.#isWhole(found)) {
      this.#misses += 1;
      return null;
    }
    this.#hits += 1;
    const from = since?.generation === generation ? knownRevision(found, since) : null;
    const changed = new Map<string, string | null>();
    for (const [key, entry] of found.entries) {
      const isNew = from === null ? entry.value !== null : entry.revision > from;
      if (isNew) changed.set(key, entry.value);
    }
    return { generation, state: stateOf(found), changed, complete: from === null };
  }

  async isLost(generation: string): Promise<boolean> {
    const found = this.#find(generation);
    return found === null || !this.#isWhole(found);
  }

  async figures(): Promise<{ store: StoreFigures; database: string | null }> {
    const bytes = [...this.#generations.values()].reduce((sum, it) => sum + bytesOf(it), 0);
    const { text, expiresAtMs } = this.#database;
    return {
      store: {
        // It is the process itself: nobody connects.
        connected_clients: null,
        used_memory_human: `${(bytes / 2 ** 20).toFixed(2)}M`,
        keyspace_hits: this.#hits,
        keyspace_misses: this.#misses,
      },
      database: expiresAtMs > this.#clock.nowMs() ? text : null,
    };
  }

  async putDatabaseFigures(text: string): Promise<void> {
    this.#database = { text, expiresAtMs: this.#clock.nowMs() + FIGURES_TTL_SECONDS * 1000 };
  }

  async close(): Promise<void> {}

  #find(generation: string): Generation | null {
    const found = this.#generations.get(generation);
    return found !== undefined && found.expiresAtMs > this.#clock.nowMs() ? found : null;
  }

  #isWhole(generation: Generation): boolean {
    if (generation.lanes.health === null || generation.lanes.metrics === null) return false;
    const nowMs = this.#clock.nowMs();
    for (const { value, expiresAtMs } of generation.entries.values()) {
      if (value !== null && expiresAtMs <= nowMs) return false;
    }
    return true;
  }

  #dropExpired(): void {
    for (const name of this.#generations.keys()) {
      if (this.#find(name) === null) this.#generations.delete(name);
    }
  }
}

/** Of its values, which are nearly all of it. */
function bytesOf({ entries }: Generation): number {
  let bytes = 0;
  for (const [key, { value }] of entries) bytes += key.length + (value?.length ?? 0);
  return bytes;
}

function newGeneration(): Generation {
  return {
    epoch: newId(),
    revision: 0,
    writeIds: [],
    lanes: { health: null, metrics: null },
    entries: new Map(),
    expiresAtMs: 0,
  };
}

function newId(): string {
  return randomBytes(8).toString('hex');
}

function apply(
  target: Generation,
  stored: StoredLane | null,
  { lane, next, values, complete }: HotWrite,
  nowMs: number,
): void {
  const changes = complete ? new Map([...removals(target, lane, values), ...values]) : values;
  const changed = new Map(
    [...changes].filter(([key, value]) => isChange(target, key, value, nowMs)),
  );
  const isNews = changed.size > 0 || stored?.version !== next.version;
  if (isNews) {
    target.revision++;
    target.writeIds = [newId(), ...target.writeIds].slice(0, REVISIONS_KEPT);
  }
  target.lanes[lane] = { ...next, writeId: isNews ? target.writeIds[0]! : stored.writeId };
  target.expiresAtMs = nowMs + STATE_TTL_MS;

  for (const [key, value] of changed) {
    target.entries.set(key, { value, lane, revision: target.revision, expiresAtMs: 0 });
  }
  for (const [key, entry] of target.entries) {
    const isForgotten = entry.value === null && entry.revision <= target.revision - REVISIONS_KEPT;
    if (isForgotten) target.entries.delete(key);
    // A lost key stays lost: only its value can bring it back.
    const isThere = changed.has(key) || entry.expiresAtMs > nowMs;
    if (entry.lane === lane && isThere) entry.expiresAtMs = nowMs + ttlMs(key);
  }
}

/** The lane's keys that are not among the values, each with null. */
function* removals(
  { entries }: Generation,
  lane: Lane,
  values: HotWrite['values'],
): Generator<[string, null]> {
  for (const [key, entry] of entries) {
    if (entry.lane === lane && !values.has(key)) yield [key, null];
  }
}

function isChange(
  { entries }: Generation,
  key: string,
  value: string | null,
  nowMs: number,
): boolean {
  const entry = entries.get(key);
  if (value === null) return entry !== undefined && entry.value !== null;
  return entry === undefined || entry.value !== value || entry.expiresAtMs <= nowMs;
}

function stateOf(generation: Generation): HotState {
  const { epoch, revision, writeIds, lanes } = generation;
  return { epoch, revision, writeId: writeIds[0]!, lanes: { ...lanes } };
}

/** The revision that the reader knows, where this state went through it; null = start anew. */
function knownRevision(generation: Generation, since: HotPosition): number | null {
  if (since.epoch !== generation.epoch) return null;
  const id = generation.writeIds[generation.revision - since.revision];
  return id === since.writeId ? since.revision : null;
}
