import { defineConfig } from 'vitest/config';

// The level of a test is in its file name: x.test.ts needs no service, x.int.test.ts needs
// Postgres (embedded) or the local stack, x.e2e.test.ts drives the built product.
const project = (
  name: string,
  include: string[],
  exclude: string[],
  testTimeout: number,
  globalSetup: string[] = [],
) => ({
  test: { name, include, exclude, testTimeout, hookTimeout: 120_000, globalSetup },
});

export default defineConfig({
  test: {
    projects: [
      project(
        'unit',
        ['test/**/*.test.ts'],
        ['test/**/*.int.test.ts', 'test/**/*.e2e.test.ts'],
        30_000,
      ),
      project('int', ['test/**/*.int.test.ts'], [], 120_000, ['test/postgres.ts']),
      project('e2e', ['test/**/*.e2e.test.ts'], [], 300_000),
    ],
  },
});
