import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tree } from '../simulate/mutations/tree.js';

interface Schema {
  fields: { name: string; type: unknown; default?: unknown; doc?: string }[];
}

/** What the next version's emitters say of an outcome, and this one does not know. */
const FIELD = {
  name: 'queue_ms',
  type: ['null', 'int'],
  default: null,
  doc: 'How long the request waited at the emitter. Milliseconds.',
};

/** What the next version makes of the log: other classes of sizes, and one more hot value. */
const EDITS = [
  {
    file: 'src/project/projection-version.ts',
    from: 'export const PROJECTION_VERSION = 1;',
    to: 'export const PROJECTION_VERSION = 2;',
  },
  {
    file: 'src/event/input-class.ts',
    from: 'INPUT_CLASS_LIMITS = [128_000,',
    to: 'INPUT_CLASS_LIMITS = [500,',
  },
  {
    file: 'src/project/hot-source.ts',
    from: '  models: readModelsValue,',
    to: '  models: readModelsValue,\n  next: async () => ({ of: 2 }),',
  },
  {
    file: 'src/hotkeys/values.ts',
    from: '  models: 300,',
    to: '  models: 300,\n  next: 300,',
  },
];

/**
 * Builds the version of the product that would come after this one: an outcome with one more field,
 * rows that are folded otherwise, a migration, a hot key that this version does not know. Answers
 * the folder of its build, and how to remove it.
 */
export function buildNextVersion(): { root: string; remove(): void } {
  const tree = new Tree();
  tree.apply({ edits: EDITS });
  addSchemas(join(tree.root, 'schemas'));
  writeFileSync(
    join(tree.root, 'schemas', 'postgres', 'projection', '0099_next.sql'),
    '-- Up Migration\n\ncreate index on outcome_minute (offering);\n\n-- Down Migration\n',
  );
  const { code, output } = tree.run('tsc');
  if (code !== 0) throw new Error(`the next version does not compile: ${output}`);
  return { root: tree.root, remove: () => tree.remove() };
}

/** As they evolve: new files under new ids, the old ones as they are. */
function addSchemas(folder: string): void {
  const path = join(folder, 'ids.json');
  const rows = JSON.parse(readFileSync(path, 'utf8')) as { id: number; file: string }[];
  const firstId = Math.max(...rows.map(({ id }) => id)) + 1;
  const read = (file: string) =>
    JSON.parse(readFileSync(join(folder, 'avro', file), 'utf8')) as Schema;
  const outcome = read('request-outcome.v1.avsc');
  outcome.fields.push(FIELD);
  const batch = read('outcome-batch.v1.avsc');
  const outcomes = batch.fields.find(({ name }) => name === 'outcomes')!;
  (outcomes.type as { items: Schema }).items.fields.push(FIELD);
  const added = [
    { subject: 'ai.router.RequestOutcome', file: 'request-outcome.v2.avsc', schema: outcome },
    { subject: 'ai.router.OutcomeBatch', file: 'outcome-batch.v2.avsc', schema: batch },
  ].map(({ schema, ...row }, index) => {
    writeFileSync(join(folder, 'avro', row.file), JSON.stringify(schema, null, 2));
    return { id: firstId + index, version: 2, ...row };
  });
  writeFileSync(path, JSON.stringify([...rows, ...added], null, 2));
}
