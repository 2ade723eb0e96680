import { expect, it } from 'vitest';
import { statusOfHttp } from '../../src/event/status.js';

it.each([
  [200, 'success'],
  [204, 'success'],
  [299, 'success'],
  [400, 'invalid_request'],
  [413, 'invalid_request'],
  [422, 'invalid_request'],
  [401, 'unauthorized'],
  [403, 'unauthorized'],
  [408, 'timeout'],
  [504, 'timeout'],
  [429, 'rate_limited'],
  [499, 'cancelled'],
  [100, 'error'],
  [302, 'error'],
  [404, 'error'],
  [500, 'error'],
  [503, 'error'],
  [529, 'error'],
  [null, 'error'],
] as const)('an attempt that ended with HTTP status %s is %s', (httpStatus, status) => {
  expect(statusOfHttp(httpStatus)).toBe(status);
});
