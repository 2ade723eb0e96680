import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/package-root.js';
import { allowedInContext, copiesOf, readDockerfile } from './dockerfile.js';

const stages = readDockerfile();
const image = stages.at(-1)!;
const textOf = (name: string) =>
  image.instructions.findLast((instruction) => instruction.name === name)?.text;

test('whatever the image copies from the repository exists and is in the build context', () => {
  const allowed = allowedInContext();
  const copied = stages
    .flatMap(copiesOf)
    .filter(({ from }) => from === null)
    .flatMap(({ sources }) => sources);
  expect(copied.filter((path) => !existsSync(join(packageRoot, path)))).toEqual([]);
  const isAllowed = (path: string) =>
    allowed.some((entry) => path === entry || path.startsWith(`${entry}/`));
  expect(copied.filter((path) => !isAllowed(path))).toEqual([]);
  expect(allowed.filter((entry) => !copied.includes(entry))).toEqual([]);
});

test('whatever it copies from a stage is copied from one that stands above', () => {
  stages.forEach((stage, index) => {
    const above = stages.slice(0, index).map(({ name }) => name);
    for (const { from } of copiesOf(stage)) if (from !== null) expect(above).toContain(from);
  });
});

test('every stage is of the same Alpine image', () => {
  const images = new Set(stages.map((stage) => stage.image));
  expect(images.size).toBe(1);
  expect([...images][0]).toMatch(/^node:.*-alpine$/);
});

test('the process is not root, and no command of an installed package runs while it is built', () => {
  expect(textOf('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  const installs = stages
    .flatMap(({ instructions }) => instructions)
    .filter(({ text }) => text.startsWith('npm ci'));
  expect(installs.length).toBeGreaterThan(0);
  for (const { text } of installs) expect(text).toContain('--ignore-scripts');
});

test('it starts the command line and is asked for its health', () => {
  expect(textOf('ENTRYPOINT')).toBe('["node", "dist/src/main.js"]');
  expect(textOf('HEALTHCHECK')).toContain('/healthz');
});
