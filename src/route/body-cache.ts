import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

interface CachedBody {
  source: object;
  asOf: number;
  body: string;
  etag: string;
}

/** Pages differ by model alone; more are asked for by scanners only. */
const BODIES_MAX = 512;

/** Answers of GET as text, made once for each state (and second, where they depend on it). */
export class BodyCache {
  readonly #bodies = new Map<string, CachedBody>();

  /** Sends the body of `url`, or 304 where the caller has it; `make` is called when it is due. */
  send(
    request: FastifyRequest,
    reply: FastifyReply,
    state: { source: object; asOf?: number },
    make: () => Record<string, unknown>,
  ): FastifyReply {
    const { body, etag } = this.#bodyOf(request.url, reply, state.source, state.asOf ?? 0, make);
    reply.header('etag', etag).header('cache-control', 'no-cache');
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    return reply.type('application/json; charset=utf-8').send(body);
  }

  #bodyOf(
    url: string,
    reply: FastifyReply,
    source: object,
    asOf: number,
    make: () => Record<string, unknown>,
  ): CachedBody {
    const known = this.#bodies.get(url);
    if (known !== undefined && known.source === source && known.asOf === asOf) return known;
    const body = String(reply.serializeInput(make(), '200'));
    const etag = `"${hash('sha256', body, 'base64url').slice(0, 22)}"`;
    const made = { source, asOf, body, etag };
    if (known === undefined && this.#bodies.size >= BODIES_MAX) {
      this.#bodies.delete(this.#bodies.keys().next().value!);
    }
    this.#bodies.set(url, made);
    return made;
  }
}
