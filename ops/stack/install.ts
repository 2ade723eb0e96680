import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { withLock } from './cache.js';
import { type Environment, inspectMachine, type Machine } from './machine.js';
import type { Progress } from './progress.js';

const APT_TIMEOUT_MS = 600_000;
/** Nobody is there to be asked: a changed configuration file stays as it is. */
const OPTIONS = [
  ...['-qq', '-o', 'DPkg::Lock::Timeout=120'],
  ...['-o', 'Dpkg::Options::=--force-confdef', '-o', 'Dpkg::Options::=--force-confold'],
];

const run = promisify(execFile);

/** Installs Debian packages, where there are any to install; answers what the machine has then. */
export async function installPackages(
  named: readonly string[],
  machine: Machine,
  environment: Environment,
  progress: Progress,
): Promise<Machine> {
  const packages = [...new Set(named)];
  const { aptGet } = machine;
  if (packages.length === 0 || aptGet === null) return machine;
  // RUNLEVEL=1: a package must not start its own service (redis-server would), ours are apart.
  const options = {
    env: { ...environment, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    timeout: APT_TIMEOUT_MS,
    maxBuffer: 16_777_216,
  };
  const apt = (...args: string[]) => {
    const running = run(aptGet, [...OPTIONS, ...args], options);
    // A question would wait for ever for an answer that nobody gives.
    running.child.stdin?.end();
    return running;
  };
  await withLock('apt-get', async () => {
    await progress.step('apt-get update', () => apt('update'));
    await progress.step(`apt-get install ${packages.join(' ')}`, () =>
      apt('install', '-y', '--no-install-recommends', ...packages),
    );
  });
  return inspectMachine(environment);
}
