import { defineConfig } from 'vitest/config';

// The level of a test is in its file name: x.test.ts needs no service, x.int.test.ts needs
// Postgres (embedded) or the local stack, x.e2e.test.ts drives the built product, x.fault.test.ts
// takes minutes or root.
const project = (
  name: string,
  include: string[],
  exclude: string[],
  testTimeout: number,
  more: { globalSetup?: string[]; env?: Record<string, string> } = {},
) => ({
  test: {
    name,
    include,
    exclude,
    testTimeout,
    hookTimeout: 300_000,
    // A machine that stands still for half a minute is not the product's failure. The summary of
    // `npm test` names what needed its second try, so that none of them hides a defect.
    retry: name === 'unit' ? 0 : 1,
    ...more,
  },
});

/** What compares two versions of Node: where TEST_NODE_24 names the second one. */
const ON_BOTH_NODES = ['test/e2e/node24.e2e.test.ts'];
/** What touches SQL runs once more on the PostgreSQL of the system, an older one, where it is given. */
const systemDatabaseUrl = process.env['TEST_SYSTEM_DATABASE_URL'];
const ON_SYSTEM_POSTGRES = [
  'test/commands/migrate.int.test.ts',
  'test/database/check-server.int.test.ts',
  'test/database/connect.int.test.ts',
  'test/database/migrate.int.test.ts',
  'test/database/server-version.int.test.ts',
  'test/log/embedded-log.int.test.ts',
  'test/ops/postgres-roles.int.test.ts',
  'test/project/**/*.int.test.ts',
  'test/replay/**/*.int.test.ts',
];

export default defineConfig({
  test: {
    projects: [
      project(
        'unit',
        ['test/**/*.test.ts'],
        ['test/**/*.int.test.ts', 'test/**/*.e2e.test.ts', 'test/**/*.fault.test.ts'],
        120_000,
      ),
      project('int', ['test/**/*.int.test.ts'], [], 240_000, { globalSetup: ['test/postgres.ts'] }),
      ...(systemDatabaseUrl
        ? [
            project('system-postgres', ON_SYSTEM_POSTGRES, [], 240_000, {
              env: { TEST_DATABASE_URL: systemDatabaseUrl },
            }),
          ]
        : []),
      project('e2e', ['test/**/*.e2e.test.ts'], ON_BOTH_NODES, 300_000),
      project('node24', ON_BOTH_NODES, [], 300_000),
      // Too long, or too much to ask of every machine: `npm run faults` runs them.
      project('fault', ['test/**/*.fault.test.ts'], [], 300_000, {
        globalSetup: ['test/postgres.ts'],
      }),
    ],
  },
});
