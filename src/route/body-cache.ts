import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ServiceCounts } from './service-counts.js';

interface CachedBody {
  state: readonly unknown[];
  body: string;
  etag: string;
}

/** Pages differ by model alone; more are asked for by scanners only. */
const BODIES_MAX = 512;

/** Answers of GET as text, made once for each state that they depend on. */
export class BodyCache {
  readonly #bodies = new Map<string, CachedBody>();
  readonly #counts: ServiceCounts | null;

  constructor(counts: ServiceCounts | null = null) {
    this.#counts = counts;
  }

  /**
   * Sends the body of the request's URL, or 304 where the caller has it. It stands for as long as
   * every member of `state` is the same; `make` is called when it is due, `schema` is that of the
   * route's answer where none is given.
   */
  send(
    request: FastifyRequest,
    reply: FastifyReply,
    state: readonly unknown[],
    make: () => Record<string, unknown>,
    schema?: Record<string, unknown>,
  ): FastifyReply {
    const serialize = () =>
      String(
        schema === undefined
          ? reply.serializeInput(make(), '200')
          : reply.serializeInput(make(), schema),
      );
    const startedAt = performance.now();
    const known = this.#known(request.url, state);
    const { body, etag } = known ?? this.#make(request.url, state, serialize);
    this.#counts?.count(known !== null, (performance.now() - startedAt) / 1000);
    reply.header('etag', etag).header('cache-control', 'private, no-cache');
    // Of what is not compressed too: it might have been.
    reply.header('vary', 'accept-encoding');
    if (isKnown(etag, request.headers['if-none-match'])) return reply.code(304).send();
    return reply.type('application/json; charset=utf-8').send(body);
  }

  /** Forgets every body; answers how many there were. */
  clear(): number {
    const { size } = this.#bodies;
    this.#bodies.clear();
    return size;
  }

  #known(url: string, state: readonly unknown[]): CachedBody | null {
    const known = this.#bodies.get(url);
    return known?.state.every((part, i) => part === state[i]) === true ? known : null;
  }

  #make(url: string, state: readonly unknown[], serialize: () => string): CachedBody {
    const body = serialize();
    // Weak: the same tag stands for the compressed body.
    const etag = `W/"${hash('sha256', body, 'base64url').slice(0, 22)}"`;
    const made = { state, body, etag };
    if (!this.#bodies.has(url) && this.#bodies.size >= BODIES_MAX) {
      this.#bodies.delete(this.#bodies.keys().next().value!);
    }
    this.#bodies.set(url, made);
    return made;
  }
}

/** Weak comparison, as RFC 9110 asks for. */
function isKnown(etag: string, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  const opaque = etag.slice('W/'.length);
  return ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === opaque);
}
