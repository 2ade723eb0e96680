import { explainExamples } from './explain-examples.js';
import { type Example, WRITE_EXAMPLES } from './write-examples.js';

const offering = 'gpt-4o|openai||';
const decisionId = '019b7698-c4fa-7c3e-a5a5-5cbd1a0ad0e5';
const parts = { deployment: '', region: '' };
const state = {
  version: 7,
  vector: { 'airouter.outcomes.v1': [3, 4] },
  generation: 'v1.1.1.1',
};

const price = {
  valid_from: 0,
  tiers: [
    {
      above_input_tokens: 0,
      input: 2_500_000_000,
      cached_input: 1_250_000_000,
      cache_write: null,
      output: 10_000_000_000,
      request: null,
    },
  ],
};

const expected = {
  duration_ms_p50: 2100,
  ttft_ms_p50: 400,
  cost_nano_usd: 6_000_000,
  success_ratio: 0.98,
};

const model = {
  id: 'gpt-4o',
  object: 'model',
  created: 0,
  owned_by: 'airouter',
  display_name: 'GPT-4o',
  aliases: [],
  capabilities: ['tools'],
  context_tokens: 128_000,
  output_tokens_max: 16_384,
  enabled: true,
  offerings: [
    {
      offering,
      provider: 'openai',
      ...parts,
      call_as: 'gpt-4o',
      capabilities: null,
      context_tokens: null,
      output_tokens_max: null,
      weight: 1,
      priority: 0,
      enabled: true,
      prices: [price],
    },
  ],
};

const percentiles = { p50: 400, p75: 520, p90: 800, p99: 1900 };

const endpoint = {
  offering,
  model_id: 'gpt-4o',
  provider_name: 'openai',
  ...parts,
  call_as: 'gpt-4o',
  enabled: true,
  breaker: 'closed',
  context_length: 128_000,
  max_completion_tokens: 16_384,
  price,
  latency_last_30m: percentiles,
  throughput_last_30m: { p50: 74.1, p75: 61.7, p90: 52.9, p99: 30.4 },
  uptime_last_5m: 0.99,
  uptime_last_30m: 0.99,
  uptime_last_1d: null,
  samples: {
    latency_last_30m: 100,
    throughput_last_30m: 98,
    uptime_last_5m: 20,
    uptime_last_30m: 101,
    uptime_last_1d: 0,
  },
};

const listOf = (entry: { id: string }) => ({
  object: 'list',
  data: [entry],
  first_id: entry.id,
  last_id: entry.id,
  has_more: false,
});

const boardOffering = {
  offering,
  provider: 'openai',
  ...parts,
  call_as: 'gpt-4o',
  share: 1,
  excluded: null,
  breaker: { state: 'closed', share: 1, reason: null },
  samples: 55,
  changed: false,
  expected,
  price: { input: 2_500_000_000, output: 10_000_000_000 },
  ticks: { success: [0, 5], failure: [0, 0] },
};

const ROUTE_ANSWER = {
  decision_id: decisionId,
  policy: '',
  policy_hash: '',
  variant: '',
  unit: 'decision',
  strategy: 'auto',
  candidates: [
    {
      offering,
      model: 'gpt-4o',
      provider: 'openai',
      ...parts,
      call_as: 'gpt-4o',
      rank: 0,
      propensity: 0.95,
      score: 8_100_000,
      expected,
      reasons: [],
    },
  ],
  explored: false,
  degraded: [],
  state: { as_of: 1_767_225_600_000, ...state, age_ms: 250 },
};

/** Bodies and answers by operation: what the document shows, and what a test sends and compares. */
export const EXAMPLES: Readonly<Record<string, Example>> = {
  route: {
    body: {
      model: 'gpt-4o',
      stream: true,
      estimate: { input_tokens: 1200, output_tokens: 300 },
      limit: 1,
    },
    answer: ROUTE_ANSWER,
  },
  ...explainExamples(ROUTE_ANSWER),
  listModels: { answer: listOf(model) },
  getModel: { answer: model },
  getModelEndpoints: {
    answer: {
      data: {
        id: 'gpt-4o',
        name: 'GPT-4o',
        as_of: 1_767_225_600_000,
        stream: true,
        endpoints: [endpoint],
      },
    },
  },
  listProviders: {
    answer: listOf({
      id: 'openai',
      ...{ object: 'provider', display_name: 'OpenAI', enabled: true, models: 1, offerings: 1 },
    }),
  },
  listStrategies: {
    answer: {
      object: 'list',
      data: [
        {
          id: 'auto',
          object: 'strategy',
          algorithm: 'auto/7',
          order: 'drawn',
          summary: 'Share = probability of being the cheapest way to one success.',
        },
      ],
    },
  },
  getBoard: {
    answer: {
      object: 'board',
      as_of: 1_767_225_600_000,
      now: 1_767_225_600_000,
      policy: '',
      state: { version: 7, generation: 'v1.1.1.1', age_ms: 250, stale_after_ms: 10_000 },
      degraded: [],
      models_total: 1,
      offerings_total: 1,
      models_matching: 1,
      models: [
        {
          id: 'gpt-4o',
          name: 'GPT-4o',
          stream: false,
          degraded: [],
          outcomes_last_2m: { success: 5, failure: 0 },
          best: offering,
          offerings: [boardOffering],
        },
      ],
    },
  },
  getStats: {
    answer: {
      database: {
        connection_statistics: { total: 6, active: 1, idle: 5, max: 100 },
        table_statistics: {
          outcome_minute: {
            ...{ live_rows: 1440, dead_rows: 12, inserts: 1440, updates: 86_400, deletes: 0 },
            bytes: 1_048_576,
          },
        },
        cache_efficiency: 99.2,
      },
      redis: {
        connected_clients: 5,
        used_memory_human: '2.50M',
        keyspace_hits: 1250,
        keyspace_misses: 98,
      },
      service_performance: {
        cache_hits: 1250,
        cache_misses: 98,
        cache_hit_rate: 92.7,
        avg_query_time: 0.00002,
      },
    },
  },
  clearCache: {
    answer: {
      cleared: { bodies: 3, plans: 40 },
      state: { generation: state.generation, version: state.version },
    },
  },
  getHealth: { answer: { status: 'ok' } },
  getReadiness: { answer: { status: 'ready', generation: 'v1.1.1.1', age_ms: 250 } },
  ...WRITE_EXAMPLES,
};
