import { expect, test } from 'vitest';
import { readSources } from '../tidy/source.js';

const sources = new Map(readSources('src').map((source) => [source.path, source]));

/** Files and packages that are loaded with these files, by the way to each. */
function loadedWith(roots: readonly string[]): Map<string, string> {
  const ways = new Map(roots.map((root) => [root, root]));
  for (const [path, way] of ways) {
    for (const { target, isTypeOnly } of sources.get(path)?.imports ?? []) {
      if (!isTypeOnly && !ways.has(target)) ways.set(target, `${way} > ${target}`);
    }
  }
  return ways;
}

const inFolder = (folder: string): string[] =>
  [...sources.keys()].filter((path) => path.startsWith(folder));

// The route role, and its command once there is one: what starts it must not load them either.
const ROOTS = [...inFolder('src/route/'), ...inFolder('src/commands/route')];

test.each(['pg', 'kafkajs', 'avsc', 'node-pg-migrate'])(
  'I10 the router cannot touch Postgres or Kafka: nothing loads %s',
  (name) => {
    expect(ROOTS.length).toBeGreaterThan(0);
    expect(loadedWith(ROOTS).get(name)).toBeUndefined();
  },
);

test('the walk finds what is loaded on the way', () => {
  expect(loadedWith(['src/route/app.ts']).get('fastify')).toBeDefined();
  const project = loadedWith(inFolder('src/commands/project'));
  expect(project.get('pg')).toMatch(/^src\/commands\/project.* > .+ > pg$/);
});

test('I8 nothing that a decision is computed by reads a clock, draws lots or uses exp and log', () => {
  const banned =
    /\bDate\b|\bMath\.(?:random|exp|expm1|log\w*|pow|sin\w*|cos\w*|tan\w*|cbrt|hypot)\b|\*\*|\bperformance\b|\brandom\w+\(|\blocaleCompare\b|\bIntl\b/;
  const loaded = loadedWith(['src/route/decide.ts']);
  const files = [...sources.values()].filter(({ path }) => loaded.has(path));
  expect(files.length).toBeGreaterThan(20);
  const breaches = files.flatMap(({ path, code }) =>
    code
      .split('\n')
      // A whole power of two is exact.
      .map((line) => line.replace(/\b2 \*\* \d+\b/g, ''))
      .flatMap((line, index) => (banned.test(line) ? [`${path}:${index + 1}: ${line}`] : [])),
  );
  expect(breaches).toEqual([]);
});
