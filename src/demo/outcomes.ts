import type { RequestOutcome } from '../event/outcome.js';
import { idFrom } from './draws.js';
import type { RouteAnswer } from './http-caller.js';
import type { DemoRequest } from './requests.js';
import type { World } from './world.js';

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
      ...result,
      event_id: idFrom(seed, 'event', requestIndex, attempt),
      occurred_at: startMs,
      tenant: request.tenant,
      request_id: request.requestId,
      attempt,
      final: isFinal,
      hedged: false,
      operation: request.operation,
      model: candidate.model,
      provider: candidate.provider,
      deployment: candidate.deployment,
      region: candidate.region,
      requested_model: request.model === candidate.model ? null : request.model,
      stream: request.stream,
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
