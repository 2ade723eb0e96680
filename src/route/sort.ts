/** The strategy of each order that OpenRouter's `provider.sort` names. */
export const BY_SORT = {
  price: 'cost_optimized',
  throughput: 'throughput',
  latency: 'response_time',
} as const;
