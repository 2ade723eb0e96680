import type { FastifyInstance } from 'fastify';
import type { Clock } from '../clock.js';
import { AiRouterError } from '../errors.js';
import type { ModelsValueOffering } from '../hotkeys/values.js';
import { BodyCache } from './body-cache.js';
import { endpointStats, isMostlyStreamed } from './endpoint-stats.js';
import * as schema from './pages-schema.js';
import type { Snapshot } from './snapshot.js';
import { STRATEGIES } from './strategies/registry.js';

const ENDPOINTS_SUFFIX = '/endpoints';

/** What can be read: models, their endpoints with what was measured, providers, strategies. */
export function registerPages(
  app: FastifyInstance,
  options: { snapshotOf: () => Snapshot; clock: Clock },
): void {
  const { snapshotOf, clock } = options;
  const bodies = new BodyCache();
  app.get('/v1/models', { schema: schema.models }, (request, reply) => {
    const snapshot = snapshotOf();
    return bodies.send(request, reply, { source: snapshot.catalogue }, () => ({
      object: 'list',
      data: modelNames(snapshot).map((name) => modelPage(snapshot, name)),
    }));
  });
  // Ids hold slashes (openai/gpt-x), so a plain parameter does not match them.
  app.get<{ Params: { '*': string }; Querystring: { stream?: 'true' | 'false' } }>(
    '/v1/models/*',
    { schema: schema.model },
    (request, reply) => {
      const snapshot = snapshotOf();
      const asOf = Math.floor(clock.nowMs() / 1000);
      const { model, isEndpoints } = findModel(snapshot, request.params['*']);
      return bodies.send(request, reply, { source: snapshot, asOf }, () =>
        isEndpoints
          ? { data: endpointsPage(snapshot, model, asOf, request.query.stream) }
          : modelPage(snapshot, model),
      );
    },
  );
  app.get('/v1/providers', { schema: schema.providers }, (request, reply) => {
    const snapshot = snapshotOf();
    return bodies.send(request, reply, { source: snapshot }, () => ({
      object: 'list',
      data: providersPage(snapshot),
    }));
  });
  app.get('/v1/strategies', { schema: schema.strategies }, (request, reply) =>
    bodies.send(request, reply, { source: STRATEGIES }, strategiesPage),
  );
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

function modelPage(snapshot: Snapshot, name: string) {
  const model = snapshot.catalogue.models.get(name);
  return {
    id: name,
    object: 'model',
    // OpenAI's clients want both; the catalogue knows neither.
    created: 0,
    owned_by: 'airouter',
    display_name: model?.display_name ?? '',
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

function providersPage({ providers, catalogue }: Snapshot) {
  const { offeringsByProvider } = catalogue;
  const names = new Set([...providers.keys(), ...offeringsByProvider.keys()]);
  return [...names].sort().map((name) => {
    const offerings = offeringsByProvider.get(name) ?? [];
    return {
      id: name,
      object: 'provider',
      display_name: providers.get(name)?.display_name ?? '',
      enabled: providers.get(name)?.enabled ?? true,
      models: new Set(offerings.map(({ model }) => model)).size,
      offerings: offerings.length,
    };
  });
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
