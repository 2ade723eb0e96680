import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-root.js';
import { STRATEGIES } from '../../src/route/strategies/registry.js';
import type { Strategy } from '../../src/route/strategies/strategy.js';
import { markdownTable } from './markdown.js';

const FOLDER = join(packageRoot, 'src', 'route', 'strategies');
const DOCUMENTED =
  /\/\*\*\n((?: \*[^\n]*\n)+?) \*\/\nexport const \w+: Strategy = \{\n {2}name: '(\w+)'/g;

/** docs/strategies.md, from the strategies and what stands above each in the code. */
export function renderStrategies(): string {
  const texts = readTexts();
  const strategies = [...STRATEGIES.values()];
  const rows = strategies.map(({ name, algorithm, order, summary }) => [
    `[\`${name}\`](#${name})`,
    `\`${algorithm}\``,
    order,
    summary,
  ]);
  return `# Strategies

How candidates are ranked once the filters have had their say ([reasons.md](reasons.md)). A request names
one (\`strategy\`), or a policy does; \`auto\` is the default. All are pure functions of the state, the
second and the request: every replica decides alike, and nothing is counted in a process.

\`drawn\`: each rank is drawn by mass among those left; \`fixed\`: the list stands as it is. Less is better
in every score. Breakers come before: an open one takes part in nothing, one on probation gets no more
than its share.

${markdownTable(['Strategy', 'Algorithm', 'Order', 'In a sentence'], rows)}

${strategies.map((strategy) => sectionOf(strategy, texts.get(strategy.name))).join('\n')}`;
}

function sectionOf({ name, summary }: Strategy, text: string | undefined): string {
  if (text === undefined) throw new Error(`nothing is said above strategy ${name}`);
  return `## ${name}\n\n${summary}\n\n${text}\n`;
}

/** What is said above each strategy, by name. */
function readTexts(): Map<string, string> {
  const sources = readdirSync(FOLDER).map((file) => readFileSync(join(FOLDER, file), 'utf8'));
  return new Map(
    sources.flatMap((source) =>
      [...source.matchAll(DOCUMENTED)].map(([, text, name]) => [name!, plainText(text!)] as const),
    ),
  );
}

/** The text of a comment, without its frame. */
function plainText(comment: string): string {
  return comment.replace(/^ \*(?: |$)/gm, '').trim();
}
