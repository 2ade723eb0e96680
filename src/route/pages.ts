import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../clock.js';
import { AiRouterError } from '../errors.js';
import type { ModelsValueOffering } from '../hotkeys/values.js';
import type { BodyCache } from './body-cache.js';
import { registerCompressed } from './compression.js';
import { endpointStats, isMostlyStreamed } from './endpoint-stats.js';
import { kept } from './kept.js';
import * as schema from './pages-schema.js';
import type { Snapshot } from './snapshot.js';
import { STRATEGIES } from './strategies/registry.js';

const ENDPOINTS_SUFFIX = '/endpoints';

export interface PagesOptions {
  bodies: BodyCache;
  /** Throws `not_ready` where there is none. */
  snapshotOf: () => Snapshot;
  clock: Clock;
}

/** Checked by its schema: `limit` is an integer. */
interface PartQuery {
  limit?: string;
  after?: string;
}

/** What can be read: models, their endpoints with what was measured, providers, strategies. */
export function registerPages(app: FastifyInstance, options: PagesOptions): void {
  registerCompressed(app, (compressed) => {
    registerLists(compressed, options);
    registerModel(compressed, options);
  });
}

function registerLists(app: FastifyInstance, { snapshotOf, bodies }: PagesOptions): void {
  app.get<{ Querystring: PartQuery }>(
    '/v1/models',
    { schema: schema.models, config: { problems: ['not_ready'] } },
    (request, reply) => {
      const snapshot = snapshotOf();
      return bodies.send(request, reply, [snapshot.catalogue], () =>
        listPart(modelNames(snapshot), request.query, (name) => modelPage(snapshot, name)),
      );
    },
  );
  app.get<{ Querystring: PartQuery }>(
    '/v1/providers',
    { schema: schema.providers, config: { problems: ['not_ready'] } },
    (request, reply) => {
      const snapshot = snapshotOf();
      return bodies.send(request, reply, [snapshot.catalogue, snapshot.providers], () =>
        listPart(providerNames(snapshot), request.query, (name) => providerPage(snapshot, name)),
      );
    },
  );
  app.get('/v1/strategies', { schema: schema.strategies }, (request, reply) =>
    bodies.send(request, reply, [STRATEGIES], strategiesPage),
  );
}

interface OfModel {
  Params: { model?: string; '*'?: string };
  Querystring: { stream?: 'true' | 'false' };
}

/** One model, and its endpoints: two routes for plain names, and one for those with slashes. */
function registerModel(app: FastifyInstance, options: PagesOptions): void {
  const { snapshotOf, clock, bodies } = options;
  const answer = (request: FastifyRequest<OfModel>, reply: FastifyReply, path: string) => {
    const snapshot = snapshotOf();
    const asOf = Math.floor(clock.nowMs() / 1000);
    const { model, isEndpoints } = findModel(snapshot, path);
    if (!isEndpoints) {
      const state = [snapshot.catalogue];
      const make = () => modelPage(snapshot, model);
      return bodies.send(request, reply, state, make, schema.ANSWERS_OF_MODEL.model);
    }
    const make = () => ({ data: endpointsPage(snapshot, model, asOf, request.query.stream) });
    const state = [snapshot, asOf];
    return bodies.send(request, reply, state, make, schema.ANSWERS_OF_MODEL.endpoints);
  };
  const config = { problems: ['model_not_found', 'not_ready'] as const };
  app.get<OfModel>('/v1/models/:model', { schema: schema.model, config }, (request, reply) =>
    answer(request, reply, request.params.model!),
  );
  app.get<OfModel>(
    '/v1/models/:model/endpoints',
    { schema: schema.endpoints, config },
    (request, reply) => answer(request, reply, `${request.params.model!}${ENDPOINTS_SUFFIX}`),
  );
  app.get<OfModel>('/v1/models/*', { schema: schema.modelPath, config }, (request, reply) =>
    answer(request, reply, request.params['*']!),
  );
}

/** A part of a list by its ids, which are in order. */
function listPart<T>(ids: readonly string[], { limit, after }: PartQuery, make: (id: string) => T) {
  const behind = after === undefined ? ids : ids.filter((id) => id > after);
  const shown = limit === undefined ? behind : behind.slice(0, Number(limit));
  return {
    object: 'list',
    data: shown.map(make),
    first_id: shown[0] ?? null,
    last_id: shown.at(-1) ?? null,
    has_more: shown.length < behind.length,
  };
}

/** Models of the catalogue, and those that only an offering names. */
function modelNames({ catalogue }: Snapshot): string[] {
  return [...new Set([...catalogue.models.keys(), ...catalogue.offeringsByModel.keys()])].sort();
}

/** A model whose own name ends so wins over the endpoints of the one before the suffix. */
function findModel(snapshot: Snapshot, path: string): { model: string; isEndpoints: boolean } {
  const { models, aliases, offeringsByModel } = snapshot.catalogue;
  const known = (name: string): string | null => {
    const model = aliases.get(name) ?? name;
    return models.has(model) || offeringsByModel.has(model) ? model : null;
  };
  const whole = known(path);
  if (whole !== null) return { model: whole, isEndpoints: false };
  const isEndpoints = path.endsWith(ENDPOINTS_SUFFIX);
  const model = isEndpoints ? known(path.slice(0, -ENDPOINTS_SUFFIX.length)) : null;
  if (model !== null) return { model, isEndpoints };
  throw new AiRouterError('model_not_found', 'the model is not in the catalogue', {
    field: 'model',
    rule: 'in the catalogue',
  });
}

function offeringsOf({ catalogue }: Snapshot, model: string): readonly ModelsValueOffering[] {
  return catalogue.offeringsByModel.get(model) ?? [];
}

const aliasesByCatalogue = new WeakMap<Snapshot['catalogue'], Map<string, string[]>>();

/** Aliases by model, in order; made once a catalogue. */
function aliasesOf({ catalogue }: Snapshot): Map<string, string[]> {
  let known = aliasesByCatalogue.get(catalogue);
  if (known === undefined) {
    known = new Map();
    for (const [alias, model] of [...catalogue.aliases].sort()) {
      kept(known, model, () => []).push(alias);
    }
    aliasesByCatalogue.set(catalogue, known);
  }
  return known;
}

function modelPage(snapshot: Snapshot, name: string) {
  const model = snapshot.catalogue.models.get(name);
  return {
    id: name,
    object: 'model',
    // OpenAI's clients want both; the catalogue knows neither.
    created: 0,
    owned_by: 'airouter',
    display_name: model?.display_name ?? '',
    aliases: aliasesOf(snapshot).get(name) ?? [],
    capabilities: model?.capabilities ?? [],
    context_tokens: model?.context_tokens ?? null,
    output_tokens_max: model?.output_tokens_max ?? null,
    enabled: model?.enabled ?? true,
    offerings: offeringsOf(snapshot, name),
  };
}

function endpointsPage(
  snapshot: Snapshot,
  model: string,
  asOf: number,
  streamed: 'true' | 'false' | undefined,
) {
  const offerings = offeringsOf(snapshot, model);
  const stream =
    streamed === undefined ? isMostlyStreamed(snapshot, offerings) : streamed === 'true';
  return {
    id: model,
    name: snapshot.catalogue.models.get(model)?.display_name ?? '',
    as_of: asOf * 1000,
    stream,
    endpoints: offerings.map((offering) => endpointStats(snapshot, offering, asOf, stream)),
  };
}

function providerNames({ providers, catalogue }: Snapshot): string[] {
  return [...new Set([...providers.keys(), ...catalogue.offeringsByProvider.keys()])].sort();
}

function providerPage({ providers, catalogue }: Snapshot, name: string) {
  const offerings = catalogue.offeringsByProvider.get(name) ?? [];
  return {
    id: name,
    object: 'provider',
    display_name: providers.get(name)?.display_name ?? '',
    enabled: providers.get(name)?.enabled ?? true,
    models: new Set(offerings.map(({ model }) => model)).size,
    offerings: offerings.length,
  };
}

function strategiesPage() {
  const data = [...STRATEGIES.values()].map(({ name, algorithm, order, summary }) => ({
    id: name,
    object: 'strategy',
    algorithm,
    order,
    summary,
  }));
  return { object: 'list', data };
}
