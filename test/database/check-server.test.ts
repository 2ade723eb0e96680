import { expect, test } from 'vitest';
import { problemOf, type Session } from '../../src/database/check-server.js';

const GOOD: Session = {
  version: '15.18 (Debian 15.18-0+deb12u1)',
  versionNumber: 150018,
  statementTimeoutMs: 30_000,
  isPooled: false,
};

test('PostgreSQL 15 and newer will do, older ones are named', () => {
  expect(problemOf(GOOD, 30_000)).toBeNull();
  expect(problemOf({ ...GOOD, versionNumber: 150000 }, 30_000)).toBeNull();
  expect(problemOf({ ...GOOD, version: '14.9', versionNumber: 140009 }, 30_000)).toEqual({
    rule: 'name PostgreSQL 15 or newer',
    found: 'is 14.9',
  });
});

test('a pooler will do where it keeps the settings of a session, and is named where it drops them', () => {
  expect(problemOf({ ...GOOD, isPooled: true }, 30_000)).toBeNull();
  const dropped = { ...GOOD, statementTimeoutMs: 0 };
  expect(problemOf({ ...dropped, isPooled: true }, 30_000)?.found).toBe(
    'is a pooler that gives statement_timeout 0 ms where 30000 ms were asked for',
  );
  expect(problemOf(dropped, 30_000)?.found).toMatch(/^gives statement_timeout 0 ms/);
});
