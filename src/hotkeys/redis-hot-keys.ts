import { randomBytes } from 'node:crypto';
import { AiRouterError } from '../errors.js';
import { checkGeneration, checkWrite, STATE_TTL_MS, ttlMs } from './check-write.js';
import { STATE_FIELDS, WRITE_ID_LENGTH } from './lua/fields.js';
import { IS_LOST_LUA } from './lua/is-lost.js';
import { READ_LUA } from './lua/read.js';
import { SET_GENERATION_LUA } from './lua/set-generation.js';
import { WRITE_LUA } from './lua/write.js';
import {
  FIGURES_TTL_SECONDS,
  type HotKeys,
  type HotPosition,
  type HotRead,
  type HotState,
  type HotWrite,
  type StoredLane,
  type StoreFigures,
  type Vector,
} from './port.js';
import { createRedisClient, type RedisClient } from './redis-client.js';
import { storeFiguresOf } from './redis-info.js';
import { callScript, defineScript, type Script } from './redis-script.js';
import { type Logger, reasonText } from './state-log.js';

/** Longest wait for a call with its redirections and retries in a cluster. */
const CALL_TIMEOUT_MS = 5_000;

const READ = defineScript(READ_LUA);
const WRITE = defineScript(WRITE_LUA);
const IS_LOST = defineScript(IS_LOST_LUA);
const SET_GENERATION = defineScript(SET_GENERATION_LUA);

export interface RedisHotKeysOptions {
  /** One node, or several of a cluster; `rediss` = TLS. */
  urls: readonly string[];
  /** All keys begin with it and a colon; empty = no prefix. */
  namespace: string;
  logger: Logger;
}

/**
 * The hot keys in Redis ≥ 7 or Valkey. All keys of a generation share a hash tag, so that a script
 * over them runs in a cluster too; the key of the generation in force stands alone.
 */
export function createRedisHotKeys(options: RedisHotKeysOptions): HotKeys {
  return new RedisHotKeys(options);
}

class RedisHotKeys implements HotKeys {
  readonly #redis: RedisClient;
  readonly #base: string;

  constructor({ urls, namespace, logger }: RedisHotKeysOptions) {
    this.#redis = createRedisClient(urls, logger);
    this.#base = namespace === '' ? 'ar:' : `${namespace}:ar:`;
  }

  generation(): Promise<string | null> {
    return this.#call((client) => client.get(this.#generationKey()));
  }

  async setGeneration(expected: string | null, next: string): Promise<boolean> {
    checkGeneration(next);
    const keys = [this.#generationKey()];
    return (await this.#script(SET_GENERATION, keys, [expected ?? '', next])) === 1;
  }

  async state(generation: string): Promise<HotState | null> {
    const key = `${this.#prefix(generation)}state`;
    return this.#call(async (client) => toState(await client.hmget(key, ...STATE_FIELDS)));
  }

  async write(generation: string, expected: HotState | null, write: HotWrite): Promise<boolean> {
    checkGeneration(generation);
    checkWrite(expected, write);
    const { lane, next, values, complete } = write;
    const prefix = this.#prefix(generation);
    const keys = [`${prefix}state`];
    const args = [
      prefix,
      lane,
      expected?.epoch ?? '',
      expected?.lanes[lane]?.writeId ?? '',
      newId(),
      newId(),
      next.version,
      JSON.stringify(next.vector),
      next.writtenAtMs,
      complete ? 1 : 0,
      STATE_TTL_MS,
    ];
    for (const [key, value] of values) {
      keys.push(prefix + key);
      args.push(value === null ? 0 : ttlMs(key), value ?? '');
    }
    return (await this.#script(WRITE, keys, args)) === 1;
  }

  async read(since: HotPosition | null): Promise<HotRead | null> {
    // Together: a reader that is up to date needs one round trip.
    const [generation, early] = await Promise.all([
      this.generation(),
      since === null ? null : this.#readGeneration(since.generation, since),
    ]);
    if (generation === null) return null;
    return generation === since?.generation ? early : this.#readGeneration(generation, null);
  }

  async isLost(generation: string): Promise<boolean> {
    const prefix = this.#prefix(generation);
    return (await this.#script(IS_LOST, [`${prefix}state`], [prefix])) === 1;
  }

  async figures(): Promise<{ store: StoreFigures; database: string | null }> {
    return this.#call(async (client) => {
      const [info, database] = await Promise.all([client.info(), client.get(this.#figuresKey())]);
      return { store: storeFiguresOf(info), database };
    });
  }

  async putDatabaseFigures(text: string): Promise<void> {
    await this.#call((client) => client.set(this.#figuresKey(), text, 'EX', FIGURES_TTL_SECONDS));
  }

  close(): Promise<void> {
    return this.#redis.close();
  }

  #generationKey(): string {
    return `${this.#base}gen`;
  }

  #figuresKey(): string {
    return `${this.#base}figures`;
  }

  #prefix(generation: string): string {
    return `${this.#base}{${generation}}:`;
  }

  async #readGeneration(generation: string, since: HotPosition | null): Promise<HotRead | null> {
    const prefix = this.#prefix(generation);
    const known = since === null ? ['', '', ''] : [since.epoch, since.revision, since.writeId];
    const args = [prefix, ...known];
    return this.#call(async (client) => {
      const reply = await callScript(client, READ, [`${prefix}state`], args);
      return reply === null ? null : toRead(generation, reply as ReadReply);
    });
  }

  #script(script: Script, keys: string[], args: (string | number)[]): Promise<unknown> {
    return this.#call((client) => callScript(client, script, keys, args));
  }

  async #call<T>(run: (client: RedisClient['client']) => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      const late = (): void => reject(new Error(`no answer within ${CALL_TIMEOUT_MS} ms`));
      timer = setTimeout(late, CALL_TIMEOUT_MS);
    });
    const answer = this.#redis.attempted.then(() => run(this.#redis.client));
    try {
      return await Promise.race([answer, timeout]);
    } catch (error) {
      // Without the cause: the client's errors carry the command with its arguments.
      const reason = this.#redis.outage() ?? reasonText(error);
      throw new AiRouterError('hot_keys_unavailable', `Redis: ${reason}`);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** State, 1 where all values follow, names with values, removed names. */
type ReadReply = [head: string[], complete: number, pairs: string[], removed: string[]];

function toRead(generation: string, [head, complete, pairs, removed]: ReadReply): HotRead | null {
  const state = toState(head);
  if (state === null) return null;
  const changed = new Map<string, string | null>(removed.map((key) => [key, null]));
  // After the removed ones: a key that came back is in both.
  for (let i = 0; i < pairs.length; i += 2) changed.set(pairs[i]!, pairs[i + 1]!);
  return { generation, state, changed, complete: complete === 1 };
}

/** Null where there is no state; throws where it is not one that the write script makes. */
function toState(fields: readonly (string | null)[]): HotState | null {
  const [epoch, revision, writeId, ...lanes] = fields;
  if (!epoch || !revision || !writeId) return null;
  const health = toLane(lanes.slice(0, 4));
  const metrics = toLane(lanes.slice(4, 8));
  return { epoch, revision: Number(revision), writeId, lanes: { health, metrics } };
}

function toLane([version, vector, writtenAtMs, writeId]: (string | null)[]): StoredLane | null {
  if (!version || !vector || !writtenAtMs || !writeId) return null;
  return {
    version: Number(version),
    vector: JSON.parse(vector) as Vector,
    writtenAtMs: Number(writtenAtMs),
    writeId,
  };
}

function newId(): string {
  return randomBytes(WRITE_ID_LENGTH / 2).toString('hex');
}
