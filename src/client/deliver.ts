import type { HttpAnswer, HttpCaller } from './http.js';
import type { Delivered } from './outbox.js';

/** The batch may or may not have arrived; it is sent again. */
class NotTaken extends Error {
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super(message);
    this.name = 'NotTaken';
    this.retryAfterMs = retryAfterMs;
  }
}

/** What is wrong with the request itself stays so, however often it is sent. */
const REFUSALS: ReadonlySet<number> = new Set([400, 413, 415, 422]);

/**
 * Sends a list of items, as texts of JSON. Of what the other side refuses, `onRefused` is told a
 * sentence.
 *
 * @throws NotTaken
 */
export async function deliverList(
  { call }: HttpCaller,
  to: { path: string; list: string; timeoutMs: number; onRefused: (sentence: string) => void },
  items: readonly string[],
): Promise<Delivered> {
  const body = `{"${to.list}":[${items.join(',')}]}`;
  const answer = await call({ method: 'POST', path: to.path, body, timeoutMs: to.timeoutMs });
  const { status, retryAfterMs } = answer;
  if (status !== 202 && !REFUSALS.has(status)) {
    throw new NotTaken(`${to.path} answered ${status}: ${problemOf(answer)}`, retryAfterMs ?? 0);
  }
  const { rejected } = (answer.body ?? {}) as { rejected?: number };
  const refused = status === 202 ? Math.min(rejected ?? 0, items.length) : items.length;
  if (refused > 0) to.onRefused(problemOf(answer));
  return { refused };
}

/** What an answer says of an error, in one sentence. */
export function problemOf({ body }: HttpAnswer): string {
  const { detail, errors } = (body ?? {}) as {
    detail?: unknown;
    errors?: { field?: unknown; rule?: unknown }[];
  };
  const first = Array.isArray(errors) ? errors[0] : undefined;
  if (first !== undefined) return `${String(first.field)} must be ${String(first.rule)}`;
  return typeof detail === 'string' ? detail : 'no problem is named';
}
