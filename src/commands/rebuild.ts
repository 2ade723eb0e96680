import { createPool } from '../database/connect.js';
import { AiRouterError } from '../errors.js';
import { type RebuildOptions, type Rebuilt, rebuild } from '../replay/rebuild.js';
import { openParts } from '../roles/parts.js';
import { foldSettingsOf } from '../roles/project.js';
import { foldedSchemas } from '../roles/schemas.js';
import type { CommandContext } from './context.js';

/** Folding, comparing, and the rebuild's own lock, side by side. */
const POOL_SIZE = 8;
/** A day of a large table is summed up, and fifty ranges are dropped, in single statements. */
const STATEMENT_TIMEOUT_MS = 3_600_000;
/** A line now and then for whoever watches. */
const PROGRESS_INTERVAL_MS = 2_000;

/**
 * `airouter rebuild`: the projection once more, from the log alone, compared with the live one and
 * put in its place. Exit 1 where they differ: then nothing is swapped, unless it is `--repair`.
 */
export async function run(
  context: CommandContext,
  options: Record<string, unknown>,
): Promise<void> {
  const { config } = context;
  const swap = swapOf(options);
  const parts = await openParts(context, 'any');
  const pool = createPool(parts.databaseUrl, {
    poolSize: POOL_SIZE,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    lockTimeoutMs: config.lockTimeoutMs,
    isDisposable: true,
    applicationName: 'airouter rebuild',
  });
  try {
    const result = await rebuild({
      ...parts,
      pool,
      ...(await foldedSchemas(parts, config)),
      settings: { ...foldSettingsOf(config), keysMax: config.keysMax },
      swap,
      onStep: context.progress,
      onProgress: progressLines(context),
    });
    if (context.json) context.answer(result);
    else print(context, result);
    if (result.equal === false) throw unequal(result);
  } finally {
    await pool.end();
    await parts.close();
  }
}

function swapOf(options: Record<string, unknown>): RebuildOptions['swap'] {
  const isDry = options['swap'] === false || options['dryRun'] === true;
  if (!isDry) return options['repair'] === true ? 'always' : 'where equal';
  if (options['repair'] !== true) return 'never';
  throw new AiRouterError(
    'invalid_usage',
    '--repair swaps: it goes with neither --no-swap nor --dry-run',
  );
}

function progressLines({ progress }: CommandContext): RebuildOptions['onProgress'] {
  const startedMs = performance.now();
  let saidMs = startedMs;
  return ({ records, events }) => {
    const nowMs = performance.now();
    if (nowMs - saidMs < PROGRESS_INTERVAL_MS) return;
    saidMs = nowMs;
    const rate = Math.round(events / ((nowMs - startedMs) / 1000));
    progress(`Folded ${records} records with ${events} events, ${rate} events a second.`);
  };
}

function print({ print: line }: CommandContext, result: Rebuilt): void {
  const { records, events, seconds, difference } = result;
  line(`folded ${records} records with ${events} events in ${seconds} s`);
  line(`checksum of the live tables: ${result.checksum_live ?? 'none, there are none'}`);
  line(`checksum of the rebuilt ones: ${result.checksum_rebuilt}`);
  for (const { key, live, rebuilt } of difference?.rows ?? []) {
    line(`${difference!.table} ${JSON.stringify({ key, live, rebuilt })}`);
  }
  line(`equal: ${result.equal ?? 'unknown, there was nothing to compare with'}`);
  line(`swapped: ${result.swapped}`);
}

function unequal({ difference, swapped }: Rebuilt): AiRouterError {
  const { table, rows } = difference!;
  const what = `table ${table} does not hold what the log says, first at ${JSON.stringify(rows[0]?.key)}`;
  const then = swapped
    ? 'the rebuilt tables are live now'
    : 'nothing was swapped; `airouter rebuild --repair` puts the rebuilt tables in its place';
  return new AiRouterError('check_failed', `${what}; ${then}`);
}
