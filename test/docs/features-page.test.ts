import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/package-root.js';

const page = readFileSync(join(packageRoot, 'docs', 'features.md'), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)
  .map((line) => line.slice(2, -2).split(' | '))
  .map(([feature, here, how, test]) => ({ feature, here, how, test: test ?? '' }));

describe('docs/features.md', () => {
  it('has each feature once', () => {
    expect(rows.length).toBeGreaterThan(30);
    expect(new Set(rows.map(({ feature }) => feature)).size).toBe(rows.length);
  });

  it.each(rows)('$feature: is here, with a test that is there, or not, and why', (row) => {
    expect(row.how?.length).toBeGreaterThan(20);
    if (row.here === 'not in scope') return;
    expect(row.here).toBe('have');
    const [, file, name] = /^`(test\/[^`]+)`: (.+)$/.exec(row.test) ?? [];
    const path = join(packageRoot, file ?? 'no test is named');
    expect([path, existsSync(path)]).toEqual([path, true]);
    expect(readFileSync(path, 'utf8')).toContain(name);
  });
});
