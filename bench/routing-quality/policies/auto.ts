import { BoardCache } from '../../../src/route/board-cache.js';
import { decide } from '../../../src/route/decide.js';
import { MASS_TOTAL } from '../../../src/route/masses.js';
import { Facts } from '../facts.js';
import { EPOCH_MS, MODEL } from '../offerings.js';
import type { NamedPolicy, Policy } from '../policy.js';
import { type Arrival, ATTEMPTS_MAX, type World } from '../world.js';

/**
 * Ours: `decide()` over snapshots that the fold made. With several routers all are fed the same
 * snapshots and share nothing else; requests are dealt to them in turn. `draws` makes other ids of
 * decisions: the same decisions, drawn with other luck.
 */
export function routerPolicy(strategy: string, routers = 1, draws = 0): NamedPolicy {
  const name = `airouter ${strategy}${routers === 1 ? '' : `, ${routers} routers`}`;
  return { name, make: (world) => new Routers(world, strategy, routers, draws) };
}

class Routers implements Policy {
  readonly #facts: Facts;
  readonly #boards: readonly BoardCache[];
  readonly #draws: number;
  readonly #strategy: string;
  readonly #indexes: ReadonlyMap<string, number>;

  constructor(world: World, strategy: string, routers: number, draws: number) {
    this.#facts = new Facts(world);
    this.#boards = Array.from({ length: routers }, () => new BoardCache());
    this.#draws = draws;
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
    const second = Math.floor(atMs / 1000);
    for (const { offering, mass } of this.#decide(atMs, arrival, second).eligible) {
      shares[this.#indexes.get(offering)!] = mass / MASS_TOTAL;
    }
    return shares;
  }

  #decide(atMs: number, arrival: Arrival, request: number) {
    const decidedAtMs = Math.floor(EPOCH_MS + atMs);
    const asOf = Math.floor(decidedAtMs / 1000);
    const decisionId = Buffer.alloc(16);
    decisionId.writeUInt32BE(this.#draws, 8);
    decisionId.writeUInt32BE(request, 12);
    const boards = this.#boards[request % this.#boards.length]!;
    return decide({
      board: boards.boardOf(this.#facts.snapshotAt(atMs), asOf, false),
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
