import { AiRouterError } from '../errors.js';
import type { Board } from './board.js';
import type { VariantRules } from './policy.js';
import type { RequestSize } from './price.js';
import { type ProviderPreferences, providerNames, type RouteRequest } from './request.js';
import { classOfSize, sizeOf } from './request-size.js';
import { type Sifted, sift } from './sift.js';
import { BY_SORT } from './sort.js';
import { STRATEGIES } from './strategies/registry.js';
import type { Strategy } from './strategies/strategy.js';

/** The rules where no policy is in force. */
export const NO_RULES: VariantRules = {
  name: '',
  percent: 100,
  strategy: null,
  models: null,
  preferences: {},
  allowances: [],
  weights: new Map(),
  tiers: [],
  latency: null,
};

/** A request as one variant of its policy has it. */
export interface Asked {
  rules: VariantRules;
  request: RouteRequest;
  /** The request's own limits are the first of those that offerings have to meet. */
  limits: Pick<RouteRequest, 'provider' | 'require'>;
  size: RequestSize;
}

export function askedBy(board: Board, request: RouteRequest, rules: VariantRules): Asked {
  const own = overruled(request, rules);
  return { rules, request: own, limits: request, size: sizeIn(board, own, request) };
}

export function sizeIn(board: Board, named: RouteRequest, request: RouteRequest): RequestSize {
  return classOfSize(sizeOf(board, firstModelOf(named), request));
}

/** What the policy says stands in place of what the request says. */
function overruled(request: RouteRequest, rules: VariantRules): RouteRequest {
  const { strategy, sort, ...kept } = { strategy: request.strategy, ...request.provider };
  const provider: ProviderPreferences = { ...kept, ...rules.preferences };
  if (kept.allow_fallbacks === false) provider.allow_fallbacks = false;
  const isDecided = rules.strategy !== null || rules.preferences.sort !== undefined;
  const chosen = isDecided ? (rules.strategy ?? undefined) : strategy;
  if (!isDecided && sort !== undefined) provider.sort = sort;
  const { model, models, model_set, strategy: _, ...rest } = request;
  const named = rules.models === null ? { model, models, model_set } : { models: rules.models };
  return {
    ...rest,
    ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)),
    ...(chosen === undefined ? {} : { strategy: chosen }),
    ...(rules.latency === null ? {} : { latency: rules.latency }),
    provider,
  };
}

/** The one whose usual size stands for what the request does not say. */
function firstModelOf({ model, models, model_set }: RouteRequest): string {
  return model ?? models?.[0] ?? model_set?.[0] ?? '';
}

/** Who is left for one variant, and how they are ranked. */
export interface Draft {
  asked: Asked;
  strategy: Strategy;
  sifted: Sifted;
}

export function draftOf(board: Board, asked: Asked): Draft {
  const { rules, request, limits, size } = asked;
  const strategy = strategyOf(request);
  const isOrderBinding =
    request.provider?.allow_fallbacks === false || strategy.name === 'specified_provider';
  const own = { provider: limits.provider ?? {}, require: limits.require ?? {} };
  const filtering = {
    tried: request.tried,
    allowances: [{ ...own, targets: null, except: null }, ...rules.allowances],
    bindingOrder: isOrderBinding ? providerNames(request.provider?.order) : [],
    weights: rules.weights,
    size,
  };
  return { asked, strategy, sifted: sift(board, request, filtering, rules.tiers) };
}

function strategyOf({ strategy: named, provider }: RouteRequest): Strategy {
  const sorted = provider?.sort === undefined ? undefined : BY_SORT[provider.sort];
  if (named !== undefined && sorted !== undefined && named !== sorted) {
    throw broken('provider.sort', `absent, or the same as strategy ${named}`);
  }
  const strategy = STRATEGIES.get(sorted ?? named ?? 'auto');
  if (strategy === undefined) {
    throw broken('strategy', `one of ${[...STRATEGIES.keys()].join(', ')}`);
  }
  const isNamed = (provider?.only?.length ?? 0) + (provider?.order?.length ?? 0) > 0;
  if (strategy.name === 'specified_provider' && !isNamed) {
    throw broken('provider.only', 'given with strategy specified_provider');
  }
  return strategy;
}

function broken(field: string, rule: string): AiRouterError {
  return new AiRouterError('invalid_request', `${field} must be ${rule}`, { field, rule });
}
