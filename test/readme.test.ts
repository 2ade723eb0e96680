import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../src/package-root.js';

// The README's commands must run as they are pasted.

const text = (path: string): string => readFileSync(join(packageRoot, path), 'utf8');
const readme = text('README.md');
const manifest = JSON.parse(text('package.json')) as {
  scripts: Record<string, string>;
  bin: Record<string, string>;
};
/** The commands of the shell blocks, one each, without comments. */
const commands = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)]
  .flatMap(([, block]) => block!.trim().split('\n'))
  .map((line) => line.replace(/\s+#.*$/, ''));
const steps = commands.flatMap((line) => line.split(' && '));

test('there are commands', () => {
  expect(commands.length).toBeGreaterThan(3);
});

test.each(steps.filter((step) => step.startsWith('npm ')))('`%s` is a script', (step) => {
  const [, verb, name] = step.split(' ');
  if (verb === 'ci') return expect(existsSync(join(packageRoot, 'package-lock.json'))).toBe(true);
  expect(manifest.scripts).toHaveProperty(verb === 'run' ? name! : verb!);
});

test.each(steps.filter((step) => /\bairouter\b/.test(step)))('`%s` is a command', (step) => {
  const [program, ...args] = step.replace('npx --no-install ', '').split(' ');
  expect(manifest.bin).toHaveProperty(program!);
  expect(text('src/commands/command-line.ts')).toMatch(new RegExp(`add\\(\\s*'${args[0]}',`));
});

test.each(
  [...text('src/commands/command-line.ts').matchAll(/\badd\(\s*'(\w+)'/g)].map((it) => it[1]!),
)('the command `%s` is in docs/commands.md', (name) => {
  expect(text('docs/commands.md')).toMatch(new RegExp(`^\\| .*\`${name}\\b`, 'm'));
});

test('every step is npm, airouter or curl', () => {
  expect(steps.filter((step) => !/^(npm |npx --no-install airouter |curl )/.test(step))).toEqual(
    [],
  );
});

test('continuous integration runs the test command of the README', () => {
  const run = text('.ci/run').trimEnd().split('\n').at(-1);
  expect(commands).toContain(run);
});

test('the map has every folder of the code', () => {
  const map = text('src/README.md');
  const folders = readdirSync(join(packageRoot, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `[${name}/](${name})`);
  expect(folders.filter((folder) => !map.includes(folder))).toEqual([]);
});

test.each([...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path!))(
  'the page %s exists',
  (path) => {
    expect(existsSync(join(packageRoot, path))).toBe(true);
  },
);
