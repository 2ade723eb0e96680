import type { ModelsValueOffering } from '../../src/hotkeys/values.js';
import { Board } from '../../src/route/board.js';
import { decide } from '../../src/route/decide.js';
import { planOf } from '../../src/route/plan.js';
import { makePolicy, type PolicyDocument } from '../../src/route/policy.js';
import { policyInForce } from '../../src/route/policy-in-force.js';
import type { RouteRequest } from '../../src/route/request.js';
import type { Snapshot } from '../../src/route/snapshot.js';
import { AS_OF, decisionId, measured, offering, request } from './fixtures.js';

export const OFFERINGS = ['a', 'b', 'c', 'd'].map((provider, i) =>
  offering('m', provider, { input: 1_000_000_000 + i * 50_000_000 }),
);
export const [A, B] = OFFERINGS as [ModelsValueOffering, ModelsValueOffering];

export type Asked = Partial<RouteRequest> & { tenant?: string; index?: number; atSecond?: number };

/** A world where policies are in force; boards are kept by second. */
export class World {
  readonly #snapshot: Snapshot;
  readonly #boards = new Map<number, Board>();

  constructor(
    documents: readonly PolicyDocument[],
    offerings: readonly ModelsValueOffering[] = OFFERINGS,
    rows: Parameters<typeof measured>[1] = {},
  ) {
    const policies = new Map(documents.map((it) => [it.name, makePolicy(it)]));
    this.#snapshot = { ...measured(offerings, rows), policies };
  }

  ask({ tenant = '', index = 0, atSecond = AS_OF, ...body }: Asked = {}) {
    let board = this.#boards.get(atSecond);
    if (board === undefined) {
      board = new Board(this.#snapshot, atSecond, body.stream ?? false);
      this.#boards.set(atSecond, board);
    }
    return decide({
      board,
      decidedAtMs: atSecond * 1000,
      staleAfterMs: 1e12,
      tenant,
      request: request({ policy: 'p', limit: 4, ...body }),
      decisionId: decisionId(index),
    });
  }

  plan() {
    const inForce = policyInForce(this.#snapshot, '', 'p');
    return planOf(new Board(this.#snapshot, AS_OF, false), request({}), inForce);
  }

  first(asked: Asked): string {
    return this.ask({ limit: 1, ...asked }).candidates[0]!.provider;
  }
}

export const world = (rest: Omit<PolicyDocument, 'name'>, ...others: PolicyDocument[]) =>
  new World([{ name: 'p', ...rest }, ...others]);

export const order = (asked: { candidates: readonly { provider: string }[] }) =>
  asked.candidates.map(({ provider }) => provider);
