import { auto } from './auto.js';
import { costOptimized } from './cost-optimized.js';
import { fallback } from './fallback.js';
import { hybrid } from './hybrid.js';
import { leastConnections } from './least-connections.js';
import { pareto } from './pareto.js';
import { responseTime } from './response-time.js';
import { specifiedProvider } from './specified-provider.js';
import type { Strategy } from './strategy.js';
import { throughput } from './throughput.js';
import { weightedRoundRobin } from './weighted-round-robin.js';

/** Every strategy, by the name that requests give; the first is the default. */
export const STRATEGIES: ReadonlyMap<string, Strategy> = new Map(
  [
    auto,
    specifiedProvider,
    fallback,
    weightedRoundRobin,
    leastConnections,
    responseTime,
    costOptimized,
    hybrid,
    throughput,
    pareto,
  ].map((strategy) => [strategy.name, strategy]),
);
