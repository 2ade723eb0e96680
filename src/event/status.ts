import type { Status } from './outcome.js';

/**
 * The status of an attempt whose emitter names none, by the HTTP status of the provider's answer.
 * The first row that holds the status decides; `docs/events.md` is made from this table.
 */
export const STATUS_BY_HTTP: readonly { from: number; to: number; status: Status }[] = [
  { from: 200, to: 299, status: 'success' },
  { from: 400, to: 400, status: 'invalid_request' },
  { from: 401, to: 401, status: 'unauthorized' },
  { from: 403, to: 403, status: 'unauthorized' },
  { from: 408, to: 408, status: 'timeout' },
  { from: 413, to: 413, status: 'invalid_request' },
  { from: 422, to: 422, status: 'invalid_request' },
  { from: 429, to: 429, status: 'rate_limited' },
  { from: 499, to: 499, status: 'cancelled' },
  { from: 504, to: 504, status: 'timeout' },
];

/** Everything else, no HTTP status included: what is not known to have succeeded has not. */
export const STATUS_OTHERWISE: Status = 'error';

export function statusOfHttp(httpStatus: number | null): Status {
  if (httpStatus === null) return STATUS_OTHERWISE;
  const row = STATUS_BY_HTTP.find(({ from, to }) => httpStatus >= from && httpStatus <= to);
  return row?.status ?? STATUS_OTHERWISE;
}
