import { contest, type Table } from './contest.js';
import { FAMILIES, worldOf } from './families.js';
import { runWorld } from './loop.js';
import { measuresOf } from './measures.js';
import { writePlots } from './plots.js';
import { routerPolicy } from './policies/auto.js';
import { oracle, uniform, weighted } from './policies/baselines.js';
import { PEERS } from './policies/peers.js';
import { replicasOf } from './replicas.js';
import { codeHash, testSeeds } from './seeds.js';
import { tunedPeers } from './tune.js';
import { familyMean, type Verdict, verdictOf } from './verdict.js';

/** `quick` takes a minute, `smoke` some seconds: its figures mean nothing. */
export type Form = 'full' | 'quick' | 'smoke';

const SEEDS = { full: 16, quick: 2, smoke: 1 };
/** Seeds of each family on which several routers are compared with one. */
const REPLICA_SEEDS = { full: 2, quick: 1, smoke: 0 };
const SMOKE_FAMILIES = ['calm', 'spike', 'hang'];
/** Long calm worlds, in which false leaves are counted. */
const CALM = { full: { worlds: 12, minutes: 120 }, quick: { worlds: 1, minutes: 30 }, smoke: null };

/** Runs the contest and answers its line; plots are written by the full form alone. */
export function routingQuality(form: Form, log: (line: string) => void): object {
  const families = FAMILIES.filter(({ name }) => form !== 'smoke' || SMOKE_FAMILIES.includes(name));
  const seeds = testSeeds(SEEDS[form]);
  const tuned = tunedPeers();
  const others =
    form === 'full' ? [uniform, weighted, ...PEERS.map((it) => it.shipped)] : [uniform];
  const policies = [routerPolicy('auto'), ...tuned, ...others];
  log(`columns: ${policies.map(({ name }) => name).join(' | ')}`);
  const table = contest(families, seeds, policies, log);
  const peers = tuned.map((_, index) => 1 + index);
  const verdict = verdictOf(table, 0, peers);
  const calm = falseLeaves(form, seeds);
  const replicaSeeds = seeds.slice(0, REPLICA_SEEDS[form]);
  const replicas = replicaSeeds.length === 0 ? null : replicasOf(families, replicaSeeds);
  if (form === 'full') {
    for (const line of report(table)) log(line);
    log(`plots: ${writePlots(table, [0, ...peers], seeds[0]!).join(', ')}`);
  }
  return { ...lineOf(verdict), ...calm, replicas: rounded(replicas), ...detailsOf(table, seeds) };
}

function lineOf(verdict: Verdict) {
  return {
    name: 'routing-quality',
    ours: rounded(verdict.ours),
    floor: 0,
    peer: rounded(verdict.peer),
    ratio_floor: null,
    ratio_peer: rounded(verdict.ratio),
    unit: 'mean regret, % of the oracle’s loss',
    better: 'less',
    checked: true,
    ratio_peer_interval: rounded(verdict.ratioInterval),
    leave_one_family_out: rounded(verdict.leaveOneOut),
    most_behind: rounded(verdict.mostBehind),
    leave_seconds: rounded(verdict.leave),
    leave_seconds_of_any_outcome: rounded(verdict.leaveOfAny),
    leave_gradual_seconds: rounded(verdict.leaveGradual),
    back_seconds: rounded(verdict.back),
    floor_is:
      'the oracle, which knows the truth of each moment: it has no regret, so there is no ratio',
    peer_is: `the best single tuned peer: ${verdict.peerName}`,
  };
}

function detailsOf(table: Table, seeds: readonly number[]) {
  return {
    regret_by_family: Object.fromEntries(
      table.families.map(({ name }, family) => [
        name,
        table.policies.map((_, policy) =>
          rounded(familyMean(table, policy, family, (it) => it.regret)),
        ),
      ]),
    ),
    policies: table.policies.map(({ name }) => name),
    seeds: seeds.length,
    code: codeHash().slice(0, 12),
    answer: `the oracle's loss is the least in every family; losses came to ${table.realOverExpected.toFixed(3)} of what was expected`,
  };
}

/** Of ours, in long worlds in which nothing happens. */
function falseLeaves(form: Form, seeds: readonly number[]) {
  const calm = CALM[form];
  if (calm === null) return {};
  const family = FAMILIES.find(({ name }) => name === 'calm')!;
  let leaves = 0;
  let days = 0;
  for (const seed of seeds.slice(0, calm.worlds)) {
    const world = worldOf(family, seed, calm.minutes);
    const best = runWorld(world, oracle.make);
    const found = measuresOf(world, runWorld(world, routerPolicy('auto').make), best);
    leaves += found.falseLeaves;
    days += found.offeringDays;
  }
  return {
    false_leaves: leaves,
    offering_days: rounded(days),
    false_leaves_per_offering_day: rounded(leaves / days),
  };
}

/** A table in Markdown, a row for each policy and family. */
function* report(table: Table): Iterable<string> {
  yield '| family | policy | regret % | worst minute % | unanswered % | first failed % | p99 s | traffics moved an hour | false leaves |';
  yield '| --- | --- | --- | --- | --- | --- | --- | --- | --- |';
  for (const [f, { name }] of table.families.entries()) {
    for (const [p, policy] of table.policies.entries()) {
      const of = (what: Parameters<typeof familyMean>[3]): string =>
        familyMean(table, p, f, what).toFixed(2);
      const cells = [
        of((it) => it.regret),
        of((it) => it.worstMinute),
        of((it) => it.unanswered),
        of((it) => it.failedFirst),
        of((it) => it.durationMsP99 / 1000),
        of((it) => it.variation),
        of((it) => it.falseLeaves),
      ];
      yield `| ${[name, policy.name, ...cells].join(' | ')} |`;
    }
  }
}

/** Three significant digits, in whatever holds numbers. */
function rounded<T>(value: T): T {
  if (typeof value === 'number') return Number(value.toPrecision(3)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, it]) => [key, rounded(it)]);
  return Object.fromEntries(entries) as T;
}
