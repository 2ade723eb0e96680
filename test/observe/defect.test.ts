import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { defectOf } from '../../src/observe/defect.js';

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

it('keeps name, message, code, system call, stack and causes', () => {
  const cause = Object.assign(new Error('read ECONNRESET'), {
    code: 'ECONNRESET',
    syscall: 'read',
  });
  const defect = defectOf(new TypeError('no answer', { cause }));
  expect(defect).toMatchObject({
    name: 'TypeError',
    message: 'no answer',
    cause: { name: 'Error', message: 'read ECONNRESET', code: 'ECONNRESET', syscall: 'read' },
  });
  expect(defect.stack).toContain('defect.test.ts');
  expect(defect.cause?.stack).toContain('read ECONNRESET');
});

it('says which object emitted an error that nobody listened to, and from where', () => {
  class Connection extends EventEmitter {}
  const error = new Error('gone');
  const thrown = thrownBy(() => new Connection().emit('error', error));
  expect(thrown).toBe(error);
  expect(defectOf(thrown).emitted).toMatch(
    /^Emitted 'error' event on Connection instance at:\n.*at /,
  );
});

it('has an end, however deep and broad causes are', () => {
  const loop = new Error('loop') as Error & { cause?: unknown };
  loop.cause = loop;
  const many = new AggregateError(
    Array.from({ length: 100 }, (_, n) => new Error(`${n}`)),
    'all',
  );
  expect(JSON.stringify(defectOf(loop)).match(/"name"/g)).toHaveLength(4);
  expect(defectOf(many).errors?.map(({ message }) => message)).toEqual(['0', '1', '2', '3']);
});

it('takes what is no error as a text', () => {
  expect(defectOf('broken')).toEqual({ name: 'string', message: 'broken' });
  expect(defectOf(undefined)).toEqual({ name: 'undefined', message: 'undefined' });
});

it('I12 tells no command of a client and no password of a URL', () => {
  const error = Object.assign(new Error('ECONNREFUSED postgres://me:Secret4711@db:5432/x'), {
    command: { name: 'auth', args: ['Secret4711'] },
  });
  const text = JSON.stringify(defectOf(error));
  expect(text).not.toContain('Secret4711');
  expect(text).toContain('postgres://me:(hidden)@db:5432/x');
});
