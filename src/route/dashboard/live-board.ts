import { AiRouterError } from '../../errors.js';
import type { ModelsValueOffering } from '../../hotkeys/values.js';
import { ratioOfPace } from '../arithmetic.js';
import type { Board } from '../board.js';
import { BoardCache } from '../board-cache.js';
import { sizedReferenceMs } from '../candidate.js';
import { isMostlyStreamed } from '../endpoint-stats.js';
import { MASS_TOTAL } from '../masses.js';
import { type Plan, planOf } from '../plan.js';
import { policyInForce } from '../policy-in-force.js';
import { costNanoUsd, tierOf } from '../price.js';
import type { Degradation } from '../reasons.js';
import { sizeOf } from '../request-size.js';
import { NoEligibleOffering } from '../sift.js';
import type { Snapshot } from '../snapshot.js';
import { stateRefOf } from '../state-ref.js';
import { activityOf, type Traffic, ticksOf, trafficOf } from './activity.js';

/** One state as of one second. */
export interface Moment {
  snapshot: Snapshot;
  /** Seconds since the epoch, on the clock that requests are decided by. */
  asOf: number;
  /** ms since the epoch, on the wall: what the state's age is measured by. A whole second. */
  nowMs: number;
  staleAfterMs: number;
}

export interface BoardQuery {
  /** Whose default policy decides; empty = nobody's in particular. */
  tenant: string;
  /** Part of a model's name, in any case; absent = the models that were used. */
  model?: string;
  /** Models at most, the most used first. */
  limit: number;
}

/**
 * What would be decided now, model by model, with what it rests on: the shares of first choice that a
 * plain request of usual size would be drawn by, under the policy that is the tenant's default, by
 * `auto` where there is none. A pure function of the moment and the query.
 */
export function liveBoard(moment: Moment, query: BoardQuery, boards = new BoardCache()) {
  const { snapshot, asOf, nowMs, staleAfterMs } = moment;
  const { models, offerings, offeringsByModel } = snapshot.catalogue;
  const { version, generation } = stateRefOf(snapshot);
  const ageMs = ageOf(moment);
  const names = modelsOf(snapshot, asOf, query.model);
  return {
    object: 'board',
    as_of: asOf * 1000,
    now: nowMs,
    policy: policyInForce(snapshot, query.tenant, undefined)?.policy.name ?? '',
    state: { version, generation, age_ms: ageMs, stale_after_ms: staleAfterMs },
    degraded: degradationOf(snapshot, ageMs, staleAfterMs),
    models_total: new Set([...models.keys(), ...offeringsByModel.keys()]).size,
    offerings_total: offerings.size,
    models_matching: names.length,
    models: names
      .slice(0, query.limit)
      .map((name) => modelBoard(moment, name, query.tenant, boards)),
  };
}

/** Freshness is that of the lane `health`, which is written at once. */
function ageOf({ snapshot, nowMs }: Moment): number | null {
  const lane = snapshot.state?.lanes.health ?? snapshot.state?.lanes.metrics ?? null;
  return lane === null ? null : Math.max(0, nowMs - lane.writtenAtMs);
}

function degradationOf(
  { state }: Snapshot,
  ageMs: number | null,
  staleAfterMs: number,
): Degradation[] {
  if (state === null) return ['no_cache'];
  return ageMs !== null && ageMs > staleAfterMs ? ['stale'] : [];
}

/** The most used first, then by name. */
function modelsOf(snapshot: Snapshot, asOf: number, part: string | undefined): string[] {
  const activity = activityOf(snapshot, asOf);
  const wanted = part?.toLowerCase();
  const names =
    wanted === undefined
      ? [...activity.keys()]
      : [...snapshot.catalogue.offeringsByModel.keys()].filter((name) =>
          name.toLowerCase().includes(wanted),
        );
  const outcomes = (name: string): number => activity.get(name) ?? 0;
  return names.sort((a, b) => outcomes(b) - outcomes(a) || (a < b ? -1 : 1));
}

function modelBoard({ snapshot, asOf }: Moment, name: string, tenant: string, boards: BoardCache) {
  const offerings = snapshot.catalogue.offeringsByModel.get(name) ?? [];
  const stream = isMostlyStreamed(snapshot, offerings);
  const board = boards.boardOf(snapshot, asOf, stream);
  const { plan, excluded } = planFor(board, name, tenant);
  const shares = new Map(plan?.eligible.map(({ offering, mass }) => [offering, mass / MASS_TOTAL]));
  return {
    id: name,
    name: snapshot.catalogue.models.get(name)?.display_name ?? '',
    stream,
    degraded: plan?.degraded ?? [],
    outcomes_last_2m: sumOf(offerings.map(({ offering }) => trafficOf(snapshot, offering, asOf))),
    best: plan?.variants[0]?.best?.key ?? null,
    offerings: offerings.map((offering) => ({
      ...offeringBoard(board, offering),
      share: shares.get(offering.offering) ?? 0,
      excluded: excluded.get(offering.offering) ?? null,
    })),
  };
}

/** The plan of a plain request; null where nothing is left to route it to. */
function planFor(
  board: Board,
  model: string,
  tenant: string,
): { plan: Plan | null; excluded: ReadonlyMap<string, string> } {
  const reasonsOf = (excluded: Plan['excluded']): Map<string, string> =>
    new Map(excluded.map(({ offering, reason }) => [offering, reason]));
  try {
    const inForce = policyInForce(board.snapshot, tenant, undefined);
    const plan = planOf(board, requestFor(board, model), inForce);
    return { plan, excluded: reasonsOf(plan.excluded) };
  } catch (error) {
    if (error instanceof NoEligibleOffering) {
      return { plan: null, excluded: reasonsOf(error.excluded) };
    }
    // The policy asks for models that are not there, or for what a plain request does not say.
    if (error instanceof AiRouterError) return { plan: null, excluded: new Map() };
    throw error;
  }
}

function requestFor({ stream }: Board, model: string) {
  return { model, operation: 'chat', stream, request_id: '', tried: [], limit: 1 };
}

function offeringBoard(board: Board, offering: ModelsValueOffering) {
  const { snapshot, asOf, evidence } = board;
  const view = board.view(offering);
  const { estimate, breaker, tiers } = view;
  const size = sizeOf(board, offering.model, requestFor(board, offering.model));
  const tier = tiers === null ? null : tierOf(tiers, size.inputTokens);
  const reference = sizedReferenceMs(view, size);
  return {
    offering: offering.offering,
    provider: offering.provider,
    deployment: offering.deployment,
    region: offering.region,
    call_as: offering.call_as,
    breaker: { state: breaker.state, share: breaker.share, reason: breaker.reason },
    samples: estimate.samples,
    changed: estimate.changedBins !== null,
    expected: {
      duration_ms_p50: Math.round(reference * ratioOfPace(estimate.pace.mean)),
      ttft_ms_p50: board.stream ? evidence.measured.ttftMsP50(offering.offering) : null,
      cost_nano_usd: costNanoUsd(tiers, size),
      success_ratio: estimate.success.mean,
    },
    price: tier === null ? null : { input: tier.input, output: tier.output },
    ticks: ticksOf(snapshot, offering.offering, asOf),
  };
}

function sumOf(traffic: readonly Traffic[]): Traffic {
  return {
    success: traffic.reduce((sum, { success }) => sum + success, 0),
    failure: traffic.reduce((sum, { failure }) => sum + failure, 0),
  };
}
