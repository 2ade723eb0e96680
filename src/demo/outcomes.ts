import type { RequestOutcome } from '../event/outcome.js';
import { idFrom } from './draws.js';
import type { RouteAnswer } from './http-caller.js';
import type { DemoRequest } from './requests.js';
import type { AttemptResult, World } from './world.js';

/** After these a caller tries its next candidate; any other end is the request's own. */
const RETRIED: ReadonlySet<string> = new Set([
  'error',
  'timeout',
  'rate_limited',
  'unauthorized',
  'invalid_response',
]);

/** Tries the candidates in order until one answers: an outcome for each attempt. */
export function outcomesOf(
  seed: string,
  world: World,
  requestIndex: number,
  atMs: number,
  request: DemoRequest,
  answer: RouteAnswer,
): RequestOutcome[] {
  const outcomes: RequestOutcome[] = [];
  let startMs = atMs;
  for (const [attempt, candidate] of answer.candidates.entries()) {
    const result = world.attempt({
      requestIndex,
      attempt,
      offering: candidate.offering,
      atMs: startMs,
      inputTokens: request.inputTokens,
      outputTokens: request.outputTokens,
      stream: request.stream,
    });
    const isFinal = !RETRIED.has(result.status) || attempt === answer.candidates.length - 1;
    startMs += result.duration_ms;
    outcomes.push({
      ...outcomeOf(request, candidate, result),
      event_id: idFrom(seed, 'event', requestIndex, attempt),
      occurred_at: startMs,
      attempt,
      final: isFinal,
      decision: {
        decision_id: Buffer.from(answer.decision_id.replaceAll('-', ''), 'hex'),
        rank: attempt,
        propensity: candidate.propensity,
      },
    });
    if (isFinal) break;
  }
  return outcomes;
}

/** What is tried: an offering of the answer, or of the catalogue. */
export type Tried = Pick<RequestOutcome, 'model' | 'provider' | 'deployment' | 'region'>;

/** The outcome of a first attempt, but for its identity and its moment. */
export function outcomeOf(
  request: DemoRequest,
  { model, provider, deployment, region }: Tried,
  result: AttemptResult,
): Omit<RequestOutcome, 'event_id' | 'occurred_at'> {
  return {
    ...result,
    tenant: request.tenant,
    request_id: request.requestId,
    attempt: 0,
    final: true,
    hedged: false,
    operation: request.operation,
    model,
    provider,
    deployment,
    region,
    requested_model: request.model === model ? null : request.model,
    stream: request.stream,
    decision: null,
  };
}
