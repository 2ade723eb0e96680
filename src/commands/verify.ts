import { AiRouterError } from '../errors.js';
import type { HotKeys } from '../hotkeys/port.js';
import { foldedTopics } from '../log/topics.js';
import { createHotSource } from '../project/hot-source.js';
import { PROJECTION_VERSION } from '../project/projection-version.js';
import { type StoredVersion, storedVersions, versionInForce } from '../project/versions.js';
import { type Verification, verify } from '../replay/verify.js';
import { openHotKeys, openParts } from '../roles/parts.js';
import { requireProjection } from '../roles/projection.js';
import { storedSchemas } from '../roles/schemas.js';
import type { CommandContext } from './context.js';

/** `airouter verify`: books, checksum and hot keys, counted again. Exit 1 where one does not hold. */
export async function run(context: CommandContext): Promise<void> {
  const parts = await openParts(context, 'any');
  let hotKeys: HotKeys | null = null;
  try {
    await requireProjection(parts);
    const { pool, schema, log, topics } = parts;
    const inForce = versionInForce(await storedVersions(pool, schema));
    const isRead = inForce === null || inForce.schema === schema;
    // Of a version that readers are not pointed at, the keys are not what they read.
    hotKeys = isRead ? await openHotKeys(parts, 'if-there') : null;
    const readSchemas = () => storedSchemas(parts);
    const source = createHotSource(pool, schema, PROJECTION_VERSION, foldedTopics(topics));
    context.progress('Counting the log again …');
    const result = await verify({ pool, schema, log, readSchemas, topics, source, hotKeys });
    if (context.json) context.answer(result);
    else print(context, result, notAsked(hotKeys, isRead ? null : inForce));
    if (!result.books_closed || result.hot_keys_match === false) {
      throw new AiRouterError('check_failed', 'the projection does not hold what the log says');
    }
  } finally {
    await hotKeys?.close();
    await parts.close();
  }
}

/** Why nobody was asked for the keys; null where they were. */
function notAsked(hotKeys: HotKeys | null, inForce: StoredVersion | null): string | null {
  if (inForce !== null) return `version ${inForce.version} is in force`;
  return hotKeys === null ? 'nobody holds them' : null;
}

function print(context: CommandContext, result: Verification, notAsked: string | null): void {
  const header = ['partition', 'read', 'applied', 'duplicate', 'dead_lettered', 'skipped', 'late'];
  context.print(header.join('\t'));
  for (const books of [...result.partitions, ...result.summaries]) {
    const { read, applied, duplicate, dead_lettered, skipped, late } = books;
    const cells = [read, applied, duplicate, dead_lettered, skipped, late];
    const mark = books.closed ? '' : '\tNOT CLOSED';
    context.print(`${books.topic}/${books.partition}\t${cells.join('\t')}${mark}`);
  }
  context.print(`books closed: ${result.books_closed}`);
  const unmatched =
    notAsked === null ? 'unknown, the rows never stood still' : `not asked, ${notAsked}`;
  context.print(`hot keys match: ${result.hot_keys_match ?? unmatched}`);
  context.print(`checksum: ${result.checksum}`);
}
