import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Direction, FaultProxy } from '../faults/fault-proxy.js';
import type { Random } from '../simulate/random.js';
import type { Role } from './role.js';
import { SESSION_TIMEOUT_MS, type World } from './world.js';

/** What is done, and for how long at most, in a short campaign and in a long one. */
export interface Fault {
  /** As `kill postgres`: recovery is told by it. */
  kind: string;
  /** How often it is drawn, against the others. */
  weight: number;
  /** Resolves once it is over: what was taken away is there again, or is being started. */
  run(world: World, random: Random, holdMsMax: number): Promise<void>;
}

const HOLD_MS_MIN = 200;
/** Past it, a member of a group that was away has lost its partitions. */
const PAST_SESSION_MS = SESSION_TIMEOUT_MS + 2_000;
/** From which another commit of Postgres is told: a simple query, with its length. */
const COMMIT = Buffer.from('Q\0\0\0\u000bcommit\0');
const LOST_REPLIES_MAX = 4;
/** In every record: one of the models that are asked for. */
const IN_RECORDS = Buffer.from('gpt-4o');
const SERVICES = ['kafka', 'redis', 'postgres'] as const;

/** Everything that is done to the real stack. */
export const FAULTS: readonly Fault[] = [
  ...(['project', 'route', 'ingest'] as const).flatMap((name) => [
    { kind: `kill ${name}`, weight: 3, run: killRole(name) },
    { kind: `stop ${name}`, weight: 1, run: stopRole(name) },
  ]),
  { kind: 'stop project past its session', weight: 1, run: stopPastSession },
  ...SERVICES.flatMap((name) => [
    { kind: `kill ${name}`, weight: 1, run: killService(name) },
    { kind: `stop ${name}`, weight: 1, run: stopService(name) },
    { kind: `slow ${name}`, weight: 1, run: shaped(name, { latencyMs: 100 }) },
    { kind: `narrow ${name}`, weight: 1, run: shaped(name, { bytesPerSecond: 400_000 }) },
    { kind: `cut ${name}`, weight: 2, run: cut(name) },
    { kind: `half-open ${name}`, weight: 1, run: halfOpen(name) },
  ]),
  { kind: 'flush redis', weight: 2, run: flushRedis },
  { kind: 'lost reply to a commit', weight: 2, run: loseReplies('postgres', () => COMMIT) },
  {
    kind: 'lost reply of a broker',
    weight: 2,
    run: loseReplies('kafka', (world) => Buffer.from(world.outcomesTopic)),
  },
  { kind: 'turned bit on the way from a broker', weight: 1, run: flip },
];

/** By weight. */
export function drawFault(random: Random, faults: readonly Fault[]): Fault {
  const total = faults.reduce((sum, { weight }) => sum + weight, 0);
  let left = random.below(total);
  return faults.find(({ weight }) => {
    left -= weight;
    return left < 0;
  })!;
}

type Run = Fault['run'];

function roleOf({ roles }: World, name: 'project' | 'route' | 'ingest', random: Random): Role {
  return name === 'project' ? random.pick(roles.projectors) : roles[name];
}

function killRole(name: 'project' | 'route' | 'ingest'): Run {
  return (world, random) => roleOf(world, name, random).kill();
}

function stopRole(name: 'project' | 'route' | 'ingest'): Run {
  return (world, random, holdMsMax) =>
    frozen(roleOf(world, name, random), between(random, HOLD_MS_MIN, holdMsMax));
}

/** A zombie: it comes back when others have what was its own. */
function stopPastSession(world: World, random: Random): Promise<void> {
  return frozen(random.pick(world.roles.projectors), PAST_SESSION_MS);
}

async function frozen(role: Role, ms: number): Promise<void> {
  await role.freeze();
  await sleep(ms);
  await role.thaw();
}

/** One process of a service, as the stack names it. */
function processOf(name: (typeof SERVICES)[number], random: Random): string {
  return name === 'kafka' ? `kafka-${1 + random.below(3)}` : name;
}

function killService(name: (typeof SERVICES)[number]): Run {
  return async ({ services }, random, holdMsMax) => {
    const process = processOf(name, random);
    await services.stack.kill(process, 'SIGKILL');
    await sleep(between(random, 0, holdMsMax));
    await services.stack.restart(process);
  };
}

function stopService(name: (typeof SERVICES)[number]): Run {
  return async ({ services }, random, holdMsMax) => {
    const process = processOf(name, random);
    await services.stack.kill(process, 'SIGSTOP');
    await sleep(between(random, HOLD_MS_MIN, holdMsMax));
    await services.stack.kill(process, 'SIGCONT');
  };
}

function proxyOf(name: (typeof SERVICES)[number], world: World, random: Random): FaultProxy {
  return world.services.proxies.get(processOf(name, random))!;
}

function shaped(name: (typeof SERVICES)[number], shape: Parameters<FaultProxy['slow']>[0]): Run {
  return async (world, random, holdMsMax) => {
    const proxy = proxyOf(name, world, random);
    proxy.slow(shape);
    await sleep(between(random, HOLD_MS_MIN, holdMsMax));
    proxy.heal();
  };
}

function cut(name: (typeof SERVICES)[number]): Run {
  return async (world, random) => proxyOf(name, world, random).cut();
}

function halfOpen(name: (typeof SERVICES)[number]): Run {
  return async (world, random, holdMsMax) => {
    const proxy = proxyOf(name, world, random);
    const directions: Direction[][] = [['request'], ['reply'], ['request', 'reply']];
    proxy.hold(...random.pick(directions));
    await sleep(between(random, HOLD_MS_MIN, holdMsMax));
    proxy.heal();
  };
}

async function flushRedis({ services }: World): Promise<void> {
  const client = new Redis(services.stack.redisUrl!, { lazyConnect: true });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.flushall();
  } finally {
    client.disconnect();
  }
}

function loseReplies(name: (typeof SERVICES)[number], bytesOf: (world: World) => Buffer): Run {
  return async (world, random, holdMsMax) => {
    const proxy = proxyOf(name, world, random);
    const over = sleep(holdMsMax);
    const count = 1 + random.below(LOST_REPLIES_MAX);
    for (let lost = 0; lost < count; lost += 1) {
      await Promise.race([proxy.loseReplyTo(bytesOf(world)), over]);
    }
    proxy.heal();
  };
}

async function flip(world: World, random: Random, holdMsMax: number): Promise<void> {
  const proxy = proxyOf('kafka', world, random);
  await Promise.race([proxy.flip(IN_RECORDS), sleep(holdMsMax)]);
  proxy.heal();
}

function between(random: Random, min: number, max: number): number {
  return min + random.below(Math.max(1, max - min));
}
