import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MUTATIONS } from '../../ops/simulate/mutations/list.js';
import { packageRoot } from '../../src/package-root.js';

// `npm run mutations` tries them out; here they are kept from going stale.

it.each(MUTATIONS)('$name: its texts stand once in their files', ({ edits }) => {
  for (const { file, from, to } of edits) {
    const times = readFileSync(join(packageRoot, file), 'utf8').split(from).length - 1;
    expect({ file, from, times }).toEqual({ file, from, times: 1 });
    expect(to).not.toBe(from);
  }
});

it('names for each a check that is there and an invariant', () => {
  for (const { check, invariants } of MUTATIONS) {
    expect(invariants.join()).toMatch(/^I\d/);
    if (check.by === 'test') expect(existsSync(join(packageRoot, check.file))).toBe(true);
  }
});
