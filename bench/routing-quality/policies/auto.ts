import { BoardCache } from '../../../src/route/board-cache.js';
import { decide } from '../../../src/route/decide.js';
import { MASS_TOTAL } from '../../../src/route/masses.js';
import { Facts } from '../facts.js';
import { EPOCH_MS, MODEL } from '../offerings.js';
import type { NamedPolicy, Policy } from '../policy.js';
import { type Arrival, ATTEMPTS_MAX, type World } from '../world.js';

/** Ours: `decide()` over snapshots that the fold made. */
export function routerPolicy(strategy: string): NamedPolicy {
  return { name: `airouter ${strategy}`, make: (world) => new Router(world, strategy) };
}

class Router implements Policy {
  readonly #facts: Facts;
  readonly #boards = new BoardCache();
  readonly #strategy: string;
  readonly #indexes: ReadonlyMap<string, number>;

  constructor(world: World, strategy: string) {
    this.#facts = new Facts(world);
    this.#strategy = strategy;
    this.#indexes = new Map(this.#facts.keys.map((key, index) => [key, index]));
  }

  seeOutcome(...[seen]: Parameters<Policy['seeOutcome']>): void {
    this.#facts.addOutcome(seen);
  }

  seeGauges(...[atMs, gauges]: Parameters<Policy['seeGauges']>): void {
    this.#facts.addGauges(atMs, gauges);
  }

  rank(atMs: number, arrival: Arrival, request: number): number[] {
    const { candidates } = this.#decide(atMs, arrival, request);
    return candidates.map(({ offering }) => this.#indexes.get(offering)!);
  }

  shares(atMs: number, arrival: Arrival): number[] {
    const shares = this.#facts.keys.map(() => 0);
    for (const { offering, mass } of this.#decide(atMs, arrival, 0).eligible) {
      shares[this.#indexes.get(offering)!] = mass / MASS_TOTAL;
    }
    return shares;
  }

  #decide(atMs: number, arrival: Arrival, request: number) {
    const decidedAtMs = Math.floor(EPOCH_MS + atMs);
    const asOf = Math.floor(decidedAtMs / 1000);
    const decisionId = Buffer.alloc(16);
    decisionId.writeUInt32BE(request, 12);
    return decide({
      board: this.#boards.boardOf(this.#facts.snapshotAt(atMs), asOf, false),
      decidedAtMs,
      staleAfterMs: Number.POSITIVE_INFINITY,
      tenant: '',
      decisionId,
      request: {
        model: MODEL,
        strategy: this.#strategy,
        operation: 'chat',
        stream: false,
        request_id: '',
        tried: [],
        estimate: { input_tokens: arrival.inputTokens, output_tokens: arrival.outputTokens },
        limit: ATTEMPTS_MAX,
      },
    });
  }
}
