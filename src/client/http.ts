import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';

export interface HttpAnswer {
  status: number;
  /** Parsed JSON; null where the body is none. */
  body: unknown;
  /** From `Retry-After` in seconds. */
  retryAfterMs: number | null;
}

export interface HttpCallOptions {
  method: 'GET' | 'POST';
  path: string;
  body?: string;
  headers?: Readonly<Record<string, string>>;
  /** From the call to the last byte of the answer. */
  timeoutMs: number;
}

export interface HttpCaller {
  /** Rejects where there is no whole answer in time. */
  call(options: HttpCallOptions): Promise<HttpAnswer>;
  close(): void;
}

/** A list of models can be long; what is longer than this is not from AiRouter. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
/** Below the server's 72 s: who closes first never meets a request on its way. */
const IDLE_MS = 60_000;

/** Calls of one server over kept connections; node's `fetch` takes several times as long. */
export function createHttpCaller(url: string, apiKey: string | null, sockets: number): HttpCaller {
  const base = new URL(url);
  const { Agent, request } = base.protocol === 'https:' ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: sockets, timeout: IDLE_MS });
  const prefix = base.pathname.replace(/\/$/, '');
  return {
    call({ method, path, body, headers: others, timeoutMs }) {
      const headers = {
        ...others,
        ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
        ...(body === undefined
          ? {}
          : {
              'content-type': 'application/json',
              'content-length': String(Buffer.byteLength(body)),
            }),
      };
      return new Promise((resolve, reject) => {
        const call = request(new URL(prefix + path, base), { agent, method, headers });
        const timer = setTimeout(
          () => call.destroy(new Error(`no answer in ${timeoutMs} ms`)),
          timeoutMs,
        );
        call.on('socket', guard);
        call.on('close', () => clearTimeout(timer));
        call.on('error', reject);
        call.on('response', (response) => {
          readBody(response).then(
            (text) => resolve(answerOf(response, text)),
            (error) => {
              call.destroy();
              reject(error);
            },
          );
        });
        call.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}

/**
 * Between the end of an answer and the next request, node leaves a kept socket for a moment without
 * a listener of its own: an error that comes then would end the process.
 */
function guard(socket: Socket): void {
  if (socket.listenerCount('error', ignore) === 0) socket.on('error', ignore);
}

/** The call under way is told by its own events; without one nobody waits. */
function ignore(): void {}

async function readBody(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`an answer of over ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function answerOf({ statusCode, headers }: http.IncomingMessage, text: string): HttpAnswer {
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return {
    status: statusCode ?? 0,
    body: parsed(text),
    retryAfterMs: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
