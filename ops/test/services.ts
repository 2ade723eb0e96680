import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SETTINGS } from '../../src/config.js';
import type { Environment } from '../stack/machine.js';
import type { Wanted } from '../stack/plan.js';
import type { Progress } from '../stack/progress.js';
import { type Stack, startStack } from '../stack/stack.js';
import { provideBrowser } from './browser.js';

/** The services that tests may ask for, by the variable in which a test finds its address. */
const SERVICES: Readonly<
  Record<string, { wanted: Partial<Wanted>; address: (stack: Stack) => string | null }>
> = {
  TEST_KAFKA_BROKERS: { wanted: { kafka: 3 }, address: (stack) => stack.kafkaBrokers },
  TEST_REDIS_URL: { wanted: { redis: 'single' }, address: (stack) => stack.redisUrl },
  TEST_REDIS_CLUSTER_URL: { wanted: { redis: 'cluster' }, address: (stack) => stack.redisUrl },
  TEST_DATABASE_URL: { wanted: { postgres: 'embedded' }, address: (stack) => stack.databaseUrl },
  TEST_SYSTEM_DATABASE_URL: {
    wanted: { postgres: 'system' },
    address: (stack) => stack.databaseUrl,
  },
};

export interface TestServices {
  /** For the tests: the addresses, and no settings of the product from outside. */
  environment: Record<string, string>;
  /** By variable: the sentence that says why the service is not there. */
  missing: ReadonlyMap<string, string>;
  stop(): Promise<void>;
}

/**
 * Starts what the files below `testDir` name. A service that cannot be had is no error: its tests
 * skip themselves, and `missing` says why. A variable that is set already is used as it is.
 */
export async function startTestServices(
  testDir: string,
  environment: Environment,
  progress: Progress,
): Promise<TestServices> {
  const started: Stack[] = [];
  const missing = new Map<string, string>();
  const addresses: Record<string, string> = {};
  const text = sourcesBelow(testDir);
  const providers = Object.entries(SERVICES).map(([variable, { wanted, address }]) => {
    const provide = async (): Promise<string> => {
      const stack = await startStack({ ...wanted, environment, progress });
      started.push(stack);
      return address(stack) ?? '';
    };
    return { variable, provide };
  });
  providers.push({
    variable: 'TEST_BROWSER',
    provide: () => provideBrowser(environment, progress),
  });
  await Promise.all(
    providers.map(async ({ variable, provide }) => {
      if (!new RegExp(`\\b${variable}\\b`).test(text) || environment[variable]) return;
      try {
        addresses[variable] = await provide();
      } catch (error) {
        missing.set(variable, error instanceof Error ? error.message : String(error));
        progress.say(`${variable}: ${missing.get(variable)}`);
      }
    }),
  );
  return {
    environment: { ...withoutSettings(environment), ...addresses },
    missing,
    stop: async () => {
      await Promise.all(started.map((stack) => stack.stop()));
    },
  };
}

/** The tests see no setting of the person who runs them: KAFKA_BROKERS comes as TEST_…. */
export function withoutSettings(environment: Environment): Record<string, string> {
  const settings = new Set<string>(Object.values(SETTINGS).map((setting) => setting.name));
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && !settings.has(entry[0]) && !entry[0].startsWith('AIROUTER_'),
    ),
  );
}

/** Why a test was skipped that gave no reason: a service that its file names is missing. */
export function missingServiceOf(
  file: string,
  missing: ReadonlyMap<string, string>,
): string | null {
  const text = readFileSync(file, 'utf8');
  for (const [variable, reason] of missing) if (text.includes(variable)) return reason;
  return null;
}

function sourcesBelow(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
}
