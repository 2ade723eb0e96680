import { expect, test } from 'vitest';
import { silent } from '../../ops/stack/progress.js';
import { runNode24 } from '../../ops/test/node24.js';

test('where Node 24 cannot be had, its group is one skip that says why', async () => {
  const runner = {
    root: '.',
    node: process.execPath,
    environment: { PATH: '' },
    filters: [],
    onChild: () => expect.unreachable('nothing is run'),
  };
  const counts = await runNode24(runner, silent);
  expect(counts).toMatchObject({ passed: 0, failed: [], skipped: [{ name: 'node24' }] });
  expect(counts.skipped[0]?.reason).toMatch(/^Node 24 cannot be had: (npm is not|no package for)/);
});
