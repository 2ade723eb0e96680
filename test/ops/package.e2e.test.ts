import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../src/package-root.js';

// The package as another project has it: the packed files, and the dependencies beside them.

const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airouter-package-'));
  const packed = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: packageRoot,
    maxBuffer: 67_108_864,
  });
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
  const installed = join(folder, 'node_modules', 'airouter');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', join(folder, filename), '-C', installed, '--strip-components', '1']);
  await symlink(join(packageRoot, 'node_modules'), join(installed, 'node_modules'));
  await mkdir(join(folder, 'node_modules', '@types'));
  await symlink(
    join(packageRoot, 'node_modules', '@types', 'node'),
    join(folder, 'node_modules', '@types', 'node'),
  );
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
}, 240_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The examples of the page that people copy from. */
async function examples(): Promise<string[]> {
  const page = await readFile(join(packageRoot, 'docs', 'client.md'), 'utf8');
  return [...page.matchAll(/```js\n([^`]*)```/g)].map(([, code]) => code!);
}

test('airouter and airouter/client are what the package gives to programs', async () => {
  const program = `
    import { AiRouterClient, RouteRefused } from 'airouter/client';
    import { createKafkaLog, createPublisher, offeringKey, topicsOf } from 'airouter';
    const client = new AiRouterClient({ url: 'http://127.0.0.1:1', timeoutMs: 100, fallback: {} });
    await client.close();
    const names = [RouteRefused, createKafkaLog, createPublisher].map((it) => it.name);
    console.log(JSON.stringify([...names, topicsOf('').outcomes]));`;
  await writeFile(join(folder, 'program.js'), program);
  const { stdout } = await run(process.execPath, ['program.js'], { cwd: folder });
  expect(JSON.parse(stdout)).toEqual([
    ...['RouteRefused', 'createKafkaLog', 'createPublisher'],
    'airouter.outcomes.v1',
  ]);
});

test('what is not meant for programs cannot be imported', async () => {
  const program = `await import('airouter/dist/src/pipeline.js')`;
  const failed = run(process.execPath, ['--input-type=module', '-e', program], { cwd: folder });
  await expect(failed).rejects.toThrow(/ERR_PACKAGE_PATH_NOT_EXPORTED/);
});

test('the examples of docs/client.md are right for the compiler, and a wrong field is not', async () => {
  const [withClient, withPublisher, ...more] = await examples();
  expect(more).toEqual([]);
  const declared = `declare function callProvider(candidate: unknown):
    Promise<{ status: number; inputTokens: number; outputTokens: number }>;\n`;
  await writeFile(join(folder, 'client.ts'), withClient + declared);
  // A topic that is missing is for the program to find out.
  await writeFile(join(folder, 'publisher.ts'), withPublisher!.replace('.get(topic)', '$&!'));
  const tsc = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const compile = (...files: string[]) =>
    run(
      process.execPath,
      [
        ...[tsc, '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023'],
        ...['--types', 'node', ...files],
      ],
      { cwd: folder },
    );
  await compile('client.ts', 'publisher.ts').catch((error) => expect(error.stdout).toBe(''));
  await writeFile(join(folder, 'wrong.ts'), withPublisher!.replace('ttft_ms: null', 'ttft: 1'));
  await expect(compile('wrong.ts')).rejects.toMatchObject({
    stdout: expect.stringContaining('ttft'),
  });
});
