import type { FastifyReply, FastifyRequest } from 'fastify';
import { AiRouterError } from '../errors.js';

/**
 * Bounds the memory of bodies that are being read or waited on: what a request says it will send is
 * counted until its answer. Parsed they take a few times as much.
 */
export class BodyBudget {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
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
