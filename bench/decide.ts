import { BoardCache } from '../src/route/board-cache.js';
import { decide } from '../src/route/decide.js';
import { MASS_TOTAL } from '../src/route/masses.js';
import { type Bench, type Contest, expectSame, inThisProcess, type Size } from './contest.js';
import { indexOf, randomFrom } from './random.js';
import { AS_OF, OFFERING_COUNT, REQUEST, syntheticSnapshot } from './snapshot.js';

/** A decision among 40 offerings, without HTTP; the state of each second is read anew. */
export const decideBench: Bench = {
  name: 'decide',
  unit: 'decisions per CPU second',
  floorIs: 'a weighted pick by one draw among 40 weights that are ready, and nothing else',
  peerIs:
    'the rule of LiteLLM’s latency-based routing, written from its documentation: mean of the ' +
    'last 10 latencies of each deployment, limits checked, a draw among those near the lowest',
  open,
};

/** Decisions of one second, which share the reading of the state. */
const DECISIONS_A_SECOND = 1_000;
/** Sizes that callers estimate, as different requests have. */
const ESTIMATES = Array.from({ length: 16 }, (_, i) => ({ input_tokens: 200 + i * 400 }));

async function open(size: Size): Promise<Contest> {
  const count = size === 'full' ? 100_000 : 2_000;
  const first = decideMany(count);
  expectSame('a second time', decideMany(count), first);
  if (Math.abs(first.share - first.mass) > 4 * Math.sqrt(first.mass / count)) {
    throw new Error(`decided for a share of ${first.share} where the mass says ${first.mass}`);
  }
  expectSame(
    'weights picked',
    Math.abs(pickMany(count) - count * PICK_EXPECTED) < count / 20,
    true,
  );
  expectSame('the fastest is named', LATENCIES[lowestLatency(() => 0)]! <= NEAR_LOWEST, true);
  return {
    ours: inThisProcess(() => decideMany(count).count),
    floor: inThisProcess(() => {
      pickMany(count);
      return count;
    }),
    peer: inThisProcess(() => {
      const random = randomFrom(5);
      for (let i = 0; i < count; i++) lowestLatency(random);
      return count;
    }),
    answer: `the best of ${OFFERING_COUNT} has mass ${first.mass.toFixed(4)}, got ${first.share.toFixed(4)}`,
    close: async () => {},
  };
}

/** Share and mean mass of the offering that the first decision gives the most to. */
function decideMany(count: number): { count: number; share: number; mass: number } {
  const snapshot = syntheticSnapshotOnce();
  const boards = new BoardCache();
  const id = Buffer.alloc(16);
  let best = '';
  let named = 0;
  let mass = 0;
  for (let i = 0; i < count; i++) {
    const second = AS_OF + (Math.floor(i / DECISIONS_A_SECOND) % 60);
    id.writeUInt32BE(i, 12);
    const { candidates, eligible } = decide({
      board: boards.boardOf(snapshot, second, REQUEST.stream),
      decidedAtMs: second * 1000,
      staleAfterMs: 3_600_000,
      tenant: '',
      request: { ...REQUEST, estimate: ESTIMATES[i % ESTIMATES.length]! },
      decisionId: id,
    });
    if (best === '') best = eligible.reduce((a, b) => (b.mass > a.mass ? b : a)).offering;
    if (candidates[0]!.offering === best) named += 1;
    // Looked up for a sample alone: it is no part of a decision.
    if (i % 100 === 0) mass += eligible.find(({ offering }) => offering === best)!.mass;
  }
  return { count, share: named / count, mass: mass / Math.ceil(count / 100) / MASS_TOTAL };
}

let snapshot: ReturnType<typeof syntheticSnapshot> | null = null;
function syntheticSnapshotOnce() {
  snapshot ??= syntheticSnapshot();
  return snapshot;
}

const WEIGHTS = Array.from({ length: OFFERING_COUNT }, (_, index) => 1 / (index + 1));
const WEIGHTS_TOTAL = WEIGHTS.reduce((sum, weight) => sum + weight, 0);
const PICK_EXPECTED = WEIGHTS[0]! / WEIGHTS_TOTAL;

/** How often the first of the weights was picked. */
function pickMany(count: number): number {
  const random = randomFrom(3);
  let first = 0;
  for (let i = 0; i < count; i++) if (indexOf(random(), WEIGHTS, WEIGHTS_TOTAL) === 0) first += 1;
  return first;
}

interface Deployment {
  latencies: number[];
  requestsThisMinute: number;
  requestsPerMinute: number;
}

const DEPLOYMENTS: readonly Deployment[] = (() => {
  const random = randomFrom(11);
  return Array.from({ length: OFFERING_COUNT }, () => ({
    latencies: Array.from({ length: 10 }, () => 0.3 + random() * 2),
    requestsThisMinute: Math.floor(random() * 900),
    requestsPerMinute: 1_000,
  }));
})();
const BUFFER = 0.1;
const meanOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const LATENCIES = DEPLOYMENTS.map(({ latencies }) => meanOf(latencies));
const NEAR_LOWEST = Math.min(...LATENCIES) * (1 + BUFFER);

/** Index of the deployment that is called. */
function lowestLatency(random: () => number): number {
  const means: { index: number; mean: number }[] = [];
  for (const [index, deployment] of DEPLOYMENTS.entries()) {
    if (deployment.requestsThisMinute + 1 > deployment.requestsPerMinute) continue;
    means.push({ index, mean: meanOf(deployment.latencies) });
  }
  means.sort((a, b) => a.mean - b.mean);
  const limit = means[0]!.mean * (1 + BUFFER);
  const near = means.filter(({ mean }) => mean <= limit);
  return near[Math.floor(random() * near.length)]!.index;
}
