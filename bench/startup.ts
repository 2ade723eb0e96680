import type { Bench, Contender, Contest } from './contest.js';
import { call, requireRouter, startServer, stop, usageOf } from './route.js';

/** From the start of a process to its first right answer, with what it has resident then. */
export const startupBench: Bench = {
  name: 'startup',
  unit: 'starts to the first right answer per CPU second of the process',
  floorIs: 'node:http that answers the same bytes each time',
  peerIs: 'Fastify as it comes: one route without schemas that answers the same object',
  open,
};

type Name = 'ours' | 'floor' | 'peer';

interface Start {
  cpuSeconds: number;
  seconds: number;
  residentBytes: number;
}

async function open(): Promise<Contest> {
  const { seconds, residentBytes } = await startOnce('ours');
  const contender = (name: Name): Contender => {
    return async () => ({ units: 1, cpuSeconds: (await startOnce(name)).cpuSeconds });
  };
  return {
    ours: contender('ours'),
    floor: contender('floor'),
    peer: contender('peer'),
    answer: `ranked offerings after ${seconds.toFixed(2)} s, with ${Math.round(residentBytes / 2 ** 20)} MiB resident`,
    close: async () => {},
  };
}

async function startOnce(name: Name): Promise<Start> {
  const startedAt = performance.now();
  const child = await startServer('startup-server.js', name);
  try {
    requireRouter(await call(child));
    const seconds = (performance.now() - startedAt) / 1000;
    return { ...(await usageOf(child)), seconds };
  } finally {
    await stop(child);
  }
}
