import { Agent, request } from 'node:http';
import type { Socket } from 'node:net';
import { AiRouterError } from '../errors.js';
import { checkGeneration, checkWrite } from './check-write.js';
import { LOOPBACK_BODY_BYTES_MAX } from './loopback-server.js';
import type { HotKeys, HotPosition, HotRead, HotState, HotWrite, StoreFigures } from './port.js';
import { reasonText } from './state-log.js';
import { type HotKeysCall, parseResult } from './wire.js';

/** One writer of each lane and a poller: more calls than these are never in flight. */
const SOCKETS_MAX = 4;

export interface LoopbackOptions {
  /** Where the owner answers, such as `http://127.0.0.1:8080/internal/hotkeys`. */
  url: string;
  /** The owner's token, which stands in its lock file. */
  token: string;
  /** Longest wait for an answer. */
  timeoutMs?: number;
}

/** The hot keys of the process that owns the embedded state, over HTTP on loopback. */
export function createLoopbackHotKeys(options: LoopbackOptions): HotKeys {
  return new LoopbackHotKeys(options);
}

class LoopbackHotKeys implements HotKeys {
  readonly #url: URL;
  readonly #token: string;
  readonly #timeoutMs: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX });

  constructor({ url, token, timeoutMs }: LoopbackOptions) {
    this.#url = new URL(url);
    this.#token = token;
    this.#timeoutMs = timeoutMs ?? 2_000;
  }

  generation(): Promise<string | null> {
    return this.#call({ op: 'generation' }, parseResult.generation);
  }

  async setGeneration(expected: string | null, next: string): Promise<boolean> {
    checkGeneration(next);
    return this.#call({ op: 'set_generation', expected, next }, parseResult.flag);
  }

  state(generation: string): Promise<HotState | null> {
    return this.#call({ op: 'state', generation }, parseResult.state);
  }

  async write(generation: string, expected: HotState | null, write: HotWrite): Promise<boolean> {
    checkGeneration(generation);
    checkWrite(expected, write);
    const wire = { ...write, values: [...write.values] };
    return this.#call({ op: 'write', generation, expected, write: wire }, parseResult.flag);
  }

  read(since: HotPosition | null): Promise<HotRead | null> {
    return this.#call({ op: 'read', since }, parseResult.read);
  }

  isLost(generation: string): Promise<boolean> {
    return this.#call({ op: 'is_lost', generation }, parseResult.flag);
  }

  figures(): Promise<{ store: StoreFigures; database: string | null }> {
    return this.#call({ op: 'figures' }, parseResult.figures);
  }

  async putDatabaseFigures(text: string): Promise<void> {
    await this.#call({ op: 'put_database_figures', text }, parseResult.flag);
  }

  async close(): Promise<void> {
    this.#agent.destroy();
  }

  async #call<T>(call: HotKeysCall, parse: (result: unknown) => T): Promise<T> {
    try {
      const { status, body } = await this.#post(JSON.stringify(call));
      if (status !== 200) throw new Error(`the owner answered ${status}`);
      return parse(JSON.parse(body));
    } catch (error) {
      throw new AiRouterError(
        'hot_keys_unavailable',
        `Hot keys of the owner: ${reasonText(error)}`,
      );
    }
  }

  #post(body: string): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const sent = request(this.#url, {
        method: 'POST',
        agent: this.#agent,
        headers: {
          authorization: `Bearer ${this.#token}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
        // Over the whole exchange: a peer that sends a byte a second must not hold the caller.
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      sent.on('error', reject);
      sent.on('socket', guard);
      sent.on('response', (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('error', reject);
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > LOOPBACK_BODY_BYTES_MAX) sent.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
        });
      });
      sent.end(body);
    });
  }
}

/** Node leaves a kept socket for a moment without a listener; an error then would end the process. */
function guard(socket: Socket): void {
  if (socket.listenerCount('error', ignore) === 0) socket.on('error', ignore);
}

function ignore(): void {}
