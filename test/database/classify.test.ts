import { DatabaseError } from 'pg';
import { describe, expect, it } from 'vitest';
import { addressOf, classify } from '../../src/database/classify.js';
import { AiRouterError } from '../../src/errors.js';

function databaseError(code: string): DatabaseError {
  const error = new DatabaseError('what it says', 1, 'error');
  error.code = code;
  return error;
}

describe('classify', () => {
  it.each([
    '08006',
    '40001',
    '40P01',
    '53300',
    '55P03',
    '57014',
    '57P01',
    '57P03',
    '25006',
    '58030',
  ])('takes SQLSTATE %s as worth another try', (code) => {
    expect(classify(databaseError(code))).toMatchObject({
      code: 'database_unavailable',
      message: expect.stringContaining(`(${code}: what it says)`),
    });
  });

  it.each(['23505', '42P01', '28P01', '3D000', '22003', 'XX000'])(
    'leaves SQLSTATE %s as it is',
    (code) => {
      const error = databaseError(code);
      expect(classify(error)).toBe(error);
    },
  );

  it('names the server that cannot be reached, also by several addresses', () => {
    const refused = (address: string): Error =>
      Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: 'ECONNREFUSED' });
    const error = new AggregateError([refused('::1:5432'), refused('127.0.0.1:5432')], '');
    expect(classify(error, 'Postgres at localhost:5432')).toMatchObject({
      code: 'database_unavailable',
      message:
        'Postgres at localhost:5432 cannot be reached: connect ECONNREFUSED ::1:5432; connect ECONNREFUSED 127.0.0.1:5432',
    });
  });

  it('knows what pg says without a code', () => {
    for (const message of [
      'Connection terminated unexpectedly',
      'Query read timeout',
      'timeout exceeded when trying to connect',
    ]) {
      expect(classify(new Error(message))).toMatchObject({ code: 'database_unavailable' });
    }
  });

  it('leaves defects and classified errors as they are', () => {
    for (const error of [
      new TypeError('x'),
      new AiRouterError('schema_newer', 'x'),
      'text',
      null,
    ]) {
      expect(classify(error)).toBe(error);
    }
  });
});

describe('addressOf', () => {
  it('names host and port alone (I12)', () => {
    expect(addressOf('postgres://user:secret@db.example:6543/x?sslmode=require')).toBe(
      'db.example:6543',
    );
    expect(addressOf('postgres:///x')).toBe('localhost:5432');
    expect(addressOf('postgresql://user:secret@[::1]/x')).toBe('[::1]:5432');
  });
});
