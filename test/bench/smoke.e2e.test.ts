import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/package-root.js';

const main = join(packageRoot, 'dist/bench/main.js');
const BENCHES = ['decode', 'fold', 'project', 'decide', 'route', 'access', 'startup'];

// A small run of each: it checks its answers, and prints the line that programs read.
test.for(BENCHES)('bench %s answers right and prints its line', async (name, context) => {
  if (name === 'project' && !existsSync('/proc/self/schedstat')) {
    context.skip('the CPU of a Postgres backend is read from /proc, as Linux has it');
  }
  const { stdout } = await promisify(execFile)('node', [main, name, '--smoke']);
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  const result = JSON.parse(lines[0]!);
  expect(result).toMatchObject({ name, better: 'more', checked: true });
  for (const figure of [result.ours, result.floor, result.ratio_floor]) {
    expect(figure).toBeGreaterThan(0);
  }
  expect(result.ratio_peer === null).toBe(result.peer === null);
  expect(result.unit).toContain('per CPU second');
});

test('bench routing-quality answers right and prints its line', async () => {
  const run = promisify(execFile)('node', [main, 'routing-quality', '--smoke']);
  const result = JSON.parse((await run).stdout.trimEnd());
  expect(result).toMatchObject({
    name: 'routing-quality',
    better: 'less',
    checked: true,
    floor: 0,
  });
  for (const figure of [result.ours, result.peer, result.ratio_peer]) {
    expect(figure).toBeGreaterThan(0);
  }
});

test('an unknown bench is refused with the names of those that are', () => {
  const { status, stderr } = spawnSync('node', [main, 'nothing'], { encoding: 'utf8' });
  expect(status).toBe(2);
  for (const name of [...BENCHES, 'routing-quality']) expect(stderr).toContain(name);
});
