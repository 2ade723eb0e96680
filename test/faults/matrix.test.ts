import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FAULTS } from '../../ops/faults/matrix.js';
import { packageRoot } from '../../src/package-root.js';

it('has each of the 46 faults once, in order', () => {
  expect(FAULTS.map(({ row }) => row)).toEqual(Array.from({ length: 46 }, (_, n) => n + 1));
});

it('names tests that are there', () => {
  const missing = FAULTS.flatMap(({ row, tests }) =>
    tests
      .filter(({ file, name }) => {
        const path = join(packageRoot, file);
        return !existsSync(path) || !readFileSync(path, 'utf8').includes(name ?? '');
      })
      .map(({ file, name }) => `${row}: ${file} > ${name ?? ''}`),
  );
  expect(missing).toEqual([]);
});

it('has a test for each fault, or says why not', () => {
  const silent = FAULTS.filter(
    ({ tests, whyNot }) => (tests.length === 0) === (whyNot === undefined),
  );
  expect(silent.map(({ row }) => row)).toEqual([]);
});
