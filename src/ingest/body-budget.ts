import type { FastifyReply, FastifyRequest } from 'fastify';
import { AiRouterError } from '../errors.js';

/** Bodies that are being read or waited on, together; parsed they take a few times as much. */
export const BODIES_BYTES_MAX = 64 * 1024 * 1024;

/** Bounds the memory of bodies: what a request says it will send is counted until its answer. */
export class BodyBudget {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number = BODIES_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws AiRouterError overloaded: too much is under way */
  admit(request: FastifyRequest, reply: FastifyReply): void {
    const limit = request.routeOptions.bodyLimit;
    const declared = Number(request.headers['content-length'] ?? limit);
    // What says more than it may is refused unread; what says nonsense is no HTTP.
    const bytes = declared <= limit ? declared : 0;
    if (this.#bytes + bytes > this.#bytesMax) {
      throw new AiRouterError('overloaded', 'too many bodies are under way; send it again');
    }
    this.#bytes += bytes;
    // Also where the caller goes away before the answer.
    reply.raw.once('close', () => {
      this.#bytes -= bytes;
    });
  }
}
