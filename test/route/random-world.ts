import type { ModelsValueOffering } from '../../src/hotkeys/values.js';
import type { RouteRequest } from '../../src/route/request.js';
import { STRATEGIES } from '../../src/route/strategies/registry.js';
import { catalogue, health, minute, offering, tick } from './fixtures.js';

/** Numbers of [0, 1) from a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const PROVIDERS = ['openai', 'azure.ai.openai', 'aws.bedrock', 'anthropic', 'groq', 'deepseek'];
const REGIONS = ['', 'eu', 'us'];

export interface RandomWorld {
  /** Values of all hot keys, by name. */
  values: ReadonlyMap<string, string>;
  offerings: readonly ModelsValueOffering[];
}

/** Models at several providers, some measured well, some badly, some not at all. */
export function randomWorld(random: () => number): RandomWorld {
  const count = (most: number): number => Math.floor(random() * (most + 1));
  const offerings = Array.from({ length: 12 }, (_, model) =>
    PROVIDERS.slice(0, 1 + count(PROVIDERS.length - 1)).map((provider) =>
      offering(`lab/model-${model}`, provider, {
        region: REGIONS[count(2)]!,
        input: random() < 0.1 ? null : count(5) * 1_000_000_000,
        output: count(20) * 1_000_000_000,
        weight: count(4),
        priority: count(2),
        context_tokens: random() < 0.3 ? null : 8_000 * (1 + count(20)),
      }),
    ),
  ).flat();
  const ticks: Record<string, ReturnType<typeof tick>[]> = {};
  const inflight: Record<string, { in_flight: number; overdue: number; oldest_ms: number }> = {};
  const values = new Map<string, string>([['models', JSON.stringify(catalogue(offerings))]]);
  for (const { offering: key } of offerings) {
    if (random() < 0.15) continue;
    const failures = random() < 0.2 ? 12 : 1;
    const outcomes = () => ({ success: count(20), error: count(failures), timeout: count(1) });
    ticks[key] = Array.from({ length: 24 }, (_, age) =>
      tick(age, outcomes(), { stream: random() < 0.5, pace: count(16) - 8 }),
    );
    inflight[key] = { in_flight: count(30), overdue: count(3), oldest_ms: count(60_000) };
    const minutes = Array.from({ length: 30 }, (_, age) =>
      minute(age, outcomes(), { stream: random() < 0.5, pace: count(16) - 8 }),
    );
    values.set(`metrics:${key}`, JSON.stringify({ offering: key, minutes, latency: [] }));
  }
  values.set('health', JSON.stringify(health({ ticks, inflight })));
  return { values, offerings };
}

/** A request as it is once its defaults are in place. */
export function randomRequest(
  random: () => number,
  { offerings }: RandomWorld,
  id: string,
): RouteRequest {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const some = <T>(from: readonly T[], most: number): T[] =>
    Array.from({ length: 1 + Math.floor(random() * most) }, () => pick(from));
  const models = [...new Set(offerings.map(({ model }) => model))];
  const kind = random();
  const named =
    kind < 0.6
      ? { model: pick(models) }
      : kind < 0.8
        ? { models: some(models, 3) }
        : { model_set: some(models, 3) };
  const strategy = pick([...STRATEGIES.keys()]);
  const provider = {
    ...(strategy === 'specified_provider' && { only: some(PROVIDERS, 3) }),
    ...(random() < 0.1 && { ignore: some(PROVIDERS, 2) }),
    ...(random() < 0.1 && { order: some(PROVIDERS, 2) }),
    ...(random() < 0.1 && { max_price: { prompt: Math.floor(random() * 6) } }),
    ...(random() < 0.1 && { allow_fallbacks: false }),
  };
  return {
    ...named,
    strategy,
    operation: 'chat',
    stream: random() < 0.5,
    request_id: id,
    tried: random() < 0.1 ? [pick(offerings).offering] : [],
    ...(random() < 0.5 && { estimate: { input_tokens: Math.floor(random() * 20_000) } }),
    ...(random() < 0.1 && { require: { context_tokens: 32_000 } }),
    ...(Object.keys(provider).length > 0 && { provider }),
    limit: 1 + Math.floor(random() * 5),
  };
}
