/** `npm run docs`: writes the reference pages that are made from the code's own tables. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../src/package-root.js';
import { PAGES } from './pages.js';

for (const [path, render] of Object.entries(PAGES)) {
  mkdirSync(dirname(join(packageRoot, path)), { recursive: true });
  writeFileSync(join(packageRoot, path), render());
  process.stdout.write(`${path}\n`);
}
