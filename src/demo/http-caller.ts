import { createHttpCaller, type HttpCaller } from '../client/http.js';
import { AiRouterError } from '../errors.js';
import { VIRTUAL_TIME_HEADER } from '../route/mint.js';

/** What the closed loop reads of an answer of `POST /v1/route`. */
export interface RouteAnswer {
  decision_id: string;
  candidates: {
    offering: string;
    model: string;
    provider: string;
    deployment: string;
    region: string;
    propensity: number;
  }[];
  degraded: string[];
  state: { vector: Record<string, number[]> };
}

export interface RouteCaller {
  /** Routes a request as of a virtual moment; rejects on any answer but 200. */
  route(body: object, virtualMs: number): Promise<RouteAnswer>;
  close(): void;
}

/** Requests in flight at once: enough to keep the router busy, few enough to keep a core free. */
export const CONNECTIONS = 8;

const TIMEOUT_MS = 10_000;

/** A caller of the router as its users are: HTTP over kept connections. */
export function createRouteCaller(url: string, apiKey: string | null = null): RouteCaller {
  const http: HttpCaller = createHttpCaller(url, apiKey, CONNECTIONS);
  return {
    async route(body, virtualMs) {
      const { status, body: answer } = await http.call({
        method: 'POST',
        path: '/v1/route',
        body: JSON.stringify(body),
        headers: { [VIRTUAL_TIME_HEADER]: String(virtualMs) },
        timeoutMs: TIMEOUT_MS,
      });
      if (status === 200) return answer as RouteAnswer;
      throw new AiRouterError('internal', `the router answered ${JSON.stringify(answer)}`);
    },
    close: () => http.close(),
  };
}
