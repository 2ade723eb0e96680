import { wallClock } from '../clock.js';
import { AiRouterError, ERRORS } from '../errors.js';
import { originText } from '../fold/origin.js';
import { discardRecord } from '../log/dead-letters.js';
import { PROJECTION_VERSION } from '../project/projection-version.js';
import type { Parts } from '../roles/parts.js';
import type { CommandContext } from './context.js';
import { discardedPlaces, type ParkedRow, parkedRows, placeNamed, rowsOf } from './dlq-letters.js';

/** Records of one append. */
const APPEND_MAX = 500;

/**
 * `airouter dlq discard PLACE… | --all --code CODE`: says that these places will not be replayed.
 * It is a record of the dead-letter topic, so that a rebuild or another projection version knows
 * it too. Nothing that was counted changes: a parked place stays parked.
 */
export async function discard(
  context: CommandContext,
  parts: Parts,
  options: Record<string, unknown>,
): Promise<void> {
  const rows = await chosenRows(parts, options);
  const discarded = await discardedPlaces(
    parts,
    rows.map(({ partition }) => partition),
  );
  const fresh = rows.filter((row) => !discarded.has(originText(row)));
  await append(parts, fresh);
  if (context.json) {
    context.answer({ discarded: fresh.length, discarded_before: rows.length - fresh.length });
    return;
  }
  if (rows.length === 0) context.progress('Nothing that waits was parked by this code.');
  for (const row of fresh) context.print(`${originText(row)} is discarded`);
  if (fresh.length < rows.length) {
    context.print(`${rows.length - fresh.length} were discarded before`);
  }
}

async function chosenRows(parts: Parts, options: Record<string, unknown>): Promise<ParkedRow[]> {
  const places = (options['args'] as string[]).slice(1);
  const code = options['code'] as string | undefined;
  const isAll = options['all'] === true;
  if (isAll ? places.length > 0 || code === undefined : places.length === 0 || code !== undefined) {
    throw new AiRouterError('invalid_usage', 'dlq discard takes places, or --all --code CODE');
  }
  if (code !== undefined && !Object.hasOwn(ERRORS, code)) {
    throw new AiRouterError('invalid_usage', `--code must be one of docs/errors.md, got "${code}"`);
  }
  if (isAll) return parkedRows(parts, { code: code!, waits: true });
  const rows = await rowsOf(parts, places.map(placeNamed));
  const byPlace = new Map(rows.map((row) => [originText(row), row]));
  return places.map((text) => {
    const row = byPlace.get(originText(placeNamed(text)));
    if (row === undefined) throw new AiRouterError('invalid_usage', `nothing is parked at ${text}`);
    if (row.replayed_below === null) return row;
    throw new AiRouterError('invalid_usage', `${text} was replayed: a copy of it counted`);
  });
}

async function append({ log, topics }: Parts, rows: readonly ParkedRow[]): Promise<void> {
  const nowMs = wallClock.nowMs();
  for (const partition of new Set(rows.map((row) => row.partition))) {
    const records = rows
      .filter((row) => row.partition === partition)
      .map((row) => discardRecord(row, PROJECTION_VERSION, nowMs));
    for (let at = 0; at < records.length; at += APPEND_MAX) {
      await log.append(topics.deadLetters, partition, records.slice(at, at + APPEND_MAX));
    }
  }
}
