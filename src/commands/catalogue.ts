import { readFile } from 'node:fs/promises';
import { builtInCatalogue } from '../catalogue/built-in.js';
import { parseDocument } from '../catalogue/document.js';
import { importCatalogue } from '../catalogue/import.js';
import { AiRouterError } from '../errors.js';
import { openParts } from '../roles/parts.js';
import { createMissingTopics } from '../roles/topics.js';
import type { CommandContext } from './context.js';

/** `airouter catalogue import [FILE]`: the built-in catalogue, or a document of own entries. */
export async function run(
  context: CommandContext,
  options: Record<string, unknown>,
): Promise<void> {
  const [action, file] = options['args'] as string[];
  if (action !== 'import') {
    throw new AiRouterError(
      'invalid_usage',
      `catalogue: the action must be import, got "${action}"`,
    );
  }
  const own = file === undefined ? null : parseDocument(await readDocument(file));
  const parts = await openParts(context, 'any');
  const builtIn = own === null ? builtInCatalogue() : { entries: [], refused: [] };
  for (const price of builtIn.refused) {
    context.progress(`${price.offering}: its price is unknown, since ${price.reason}`);
  }
  try {
    const { log, topics, config } = parts;
    await createMissingTopics(log, topics, config, 'LogAppendTime');
    const counts = await importCatalogue(
      { log, topic: topics.catalogue },
      own ?? builtIn.entries,
      own === null ? 'built-in' : 'own',
    );
    if (context.json) context.answer(counts);
    else {
      const { appended, unchanged, retired, kept } = counts;
      context.print(
        `${appended} records appended (${retired} retire), ${unchanged} unchanged, ` +
          `${kept} left as you set them`,
      );
    }
  } finally {
    await parts.close();
  }
}

async function readDocument(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new AiRouterError('invalid_usage', `${file} cannot be read`, { cause: error });
  }
}
