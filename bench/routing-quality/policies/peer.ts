import { chance, PURPOSE } from '../chance.js';
import type { Gauge, Policy, Seen } from '../policy.js';
import { type Arrival, ATTEMPTS_MAX, type World } from '../world.js';

/**
 * A peer: chooses one offering at a time among those that are offered and not left alone, then the
 * next one for the case that it fails, as their callers' retries do.
 */
export abstract class Peer implements Policy {
  protected readonly world: World;
  /** Until when each is left alone; 0 = it is not. */
  protected readonly aloneUntilMs: number[];
  #draws = 0;

  constructor(world: World) {
    this.world = world;
    this.aloneUntilMs = world.offerings.map(() => 0);
  }

  abstract seeOutcome(seen: Seen): void;
  abstract seeGauges(atMs: number, gauges: readonly Gauge[]): void;
  /** Which of `among`, at least one. */
  protected abstract choose(among: readonly number[], atMs: number, arrival: Arrival): number;

  rank(atMs: number, arrival: Arrival): number[] {
    const slate: number[] = [];
    const offered = this.#offered(atMs);
    while (slate.length < Math.min(ATTEMPTS_MAX, offered.length)) {
      slate.push(this.choose(this.#among(offered, slate, atMs), atMs, arrival));
    }
    return slate;
  }

  /** Of 16 choices: peers know no probabilities. */
  shares(atMs: number, arrival: Arrival): number[] {
    const shares = this.world.offerings.map(() => 0);
    const among = this.#among(this.#offered(atMs), [], atMs);
    for (let i = 0; i < 16; i++) shares[this.choose(among, atMs, arrival)]! += 1 / 16;
    return shares;
  }

  protected draw(): number {
    this.#draws += 1;
    return chance(this.world.seed, PURPOSE.policy, this.#draws);
  }

  #offered(atMs: number): number[] {
    return this.world.offerings.flatMap(({ fromMs }, index) => (fromMs <= atMs ? [index] : []));
  }

  #among(offered: readonly number[], taken: readonly number[], atMs: number): number[] {
    const left = offered.filter((index) => !taken.includes(index));
    const open = left.filter((index) => this.aloneUntilMs[index]! <= atMs);
    return open.length > 0 ? open : left;
  }
}
