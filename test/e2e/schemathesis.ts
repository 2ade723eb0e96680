import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeOnce } from '../../ops/stack/cache.js';
import { findProgram, inspectMachine } from '../../ops/stack/machine.js';

const run = promisify(execFile);

const PACKAGE = 'schemathesis==4.32.5';
const INSTALL_TIMEOUT_MS = 280_000;
const RUN_TIMEOUT_MS = 280_000;
/** What one installation and one run may take. */
export const SCHEMATHESIS_TIMEOUT_MS = INSTALL_TIMEOUT_MS + RUN_TIMEOUT_MS + 60_000;

/** Longer than a busy machine stands still: an answer that is late is not a wrong one. */
const REQUEST_TIMEOUT_S = 120;

/**
 * For the server that is asked: that it says 503 where it or its database stood still is right, has
 * tests of its own, and would be taken for a defect here.
 */
export const PATIENT = {
  AIROUTER_INGEST_TIMEOUT_MS: '60000',
  AIROUTER_OVERLOAD_DELAY_MS: '0',
};

/** What an answer must keep; beside them it has checks for what this API does not promise. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'unsupported_method',
];

/** What could not be had, and why. */
export interface Missing {
  missing: string;
}

export interface ApiRun {
  /** Requests that were made. */
  cases: number;
  /** The report of a run that found something; null where it found nothing. */
  failures: string | null;
}

/** Requests made from the OpenAPI document of a server, good ones and bad ones, and its answers. */
export async function runSchemathesis(
  url: string,
  options: { examples: number; phases?: string; headers?: readonly string[] },
): Promise<ApiRun | Missing> {
  const { phases = 'examples,coverage,fuzzing' } = options;
  const python = findProgram('python3', process.env);
  if (python === null) return { missing: 'python3 is not on the PATH' };
  const packages = await install(python);
  if (typeof packages !== 'string') return packages;
  const args = ['-m', 'schemathesis.cli', 'run', `${url}/docs/json`, '--no-color', '--seed', '1'];
  args.push('--checks', CHECKS.join(','), '--phases', phases);
  args.push('--max-examples', String(options.examples), '--generation-deterministic');
  args.push('--suppress-health-check', 'all', '--request-timeout', String(REQUEST_TIMEOUT_S));
  for (const header of options.headers ?? []) args.push('--header', header);
  const report = await run(python, args, {
    cwd: await mkdtemp(join(tmpdir(), 'airouter-schemathesis-')), // Where it leaves its traces.
    timeout: RUN_TIMEOUT_MS,
    maxBuffer: 67_108_864,
    env: { ...process.env, PYTHONPATH: packages },
  }).then(
    ({ stdout }) => ({ stdout, isGood: true }),
    (error: { code?: unknown; stdout?: string }) => {
      if (error.code !== 1) throw error; // 1 = it found something.
      return { stdout: error.stdout ?? '', isGood: false };
    },
  );
  const cases = /(\d+) generated/.exec(report.stdout)?.[1];
  if (cases === undefined) throw new Error(`no cases were made: ${report.stdout}`);
  return { cases: Number(cases), failures: report.isGood ? null : report.stdout };
}

/** Into a folder of their own in the cache, by version of Python: the system's stay as they are. */
async function install(python: string): Promise<string | Missing> {
  try {
    const { stdout: version } = await run(python, ['--version']);
    const key = createHash('sha256').update(`${version}\n${PACKAGE}`).digest('hex').slice(0, 8);
    const path = join(inspectMachine(process.env).cacheDir, `python-schemathesis-${key}`);
    await makeOnce(path, async (scratch) => {
      const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
      args.push('--only-binary', ':all:', '--target', scratch, PACKAGE);
      await run(python, args, { timeout: INSTALL_TIMEOUT_MS });
    });
    return path;
  } catch (error) {
    return { missing: `pip could not install ${PACKAGE}: ${String(error)}` };
  }
}
