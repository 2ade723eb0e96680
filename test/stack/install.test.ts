import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { installPackages } from '../../ops/stack/install.js';
import { inspectMachine } from '../../ops/stack/machine.js';
import { createProgress } from '../../ops/stack/progress.js';

const dir = mkdtempSync(join(tmpdir(), 'airouter-apt-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const silent = createProgress(() => {});
const environment = { PATH: `${dir}:/usr/bin:/bin`, HOME: dir };

/** An apt-get that asks a question, and installs a `redis-server` when it is told to. */
function writeFakeApt(): () => string[] {
  const calls = join(dir, 'calls');
  const aptGet = join(dir, 'apt-get');
  writeFileSync(
    aptGet,
    `#!/bin/sh
echo "$DEBIAN_FRONTEND|$RUNLEVEL|$*" >> ${calls}
answer=$(cat)
case "$*" in *install*) printf '#!/bin/sh\\n' > ${dir}/redis-server; chmod +x ${dir}/redis-server;; esac
`,
  );
  chmodSync(aptGet, 0o755);
  return () => readFileSync(calls, 'utf8').trimEnd().split('\n');
}

test('lists are brought up to date, each package is installed once, and nobody is asked', async () => {
  const calls = writeFakeApt();
  const bare = { ...inspectMachine(environment), redisServer: null };
  expect(bare.aptGet).toBe(join(dir, 'apt-get'));
  const wanted = ['redis-server', 'maven', 'redis-server'];
  const machine = await installPackages(wanted, bare, environment, silent);
  expect(machine.redisServer).toBe(join(dir, 'redis-server'));
  const [update, install, ...more] = calls();
  expect(more).toEqual([]);
  expect(update).toMatch(/^noninteractive\|1\|.* update$/);
  expect(install).toMatch(
    /--force-confold .*install -y --no-install-recommends redis-server maven$/,
  );
});

test('without anything to install the packages are left alone', async () => {
  const machine = inspectMachine(environment);
  expect(await installPackages([], machine, environment, silent)).toBe(machine);
});
