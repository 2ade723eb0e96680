import { Agent, request } from 'node:http';
import { AiRouterError } from '../errors.js';

/** What the demo reads of an answer of `POST /v1/route`. */
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
}

export interface HttpCaller {
  /** Routes a request as of a virtual moment; rejects on any answer but 200. */
  route(body: object, virtualMs: number): Promise<RouteAnswer>;
  close(): void;
}

const TIMEOUT_MS = 10_000;

/** A caller of the router as its users are: HTTP over kept connections. */
export function createHttpCaller(port: number, connections: number): HttpCaller {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    route(body, virtualMs) {
      const payload = JSON.stringify(body);
      return new Promise((resolve, reject) => {
        const call = request(
          {
            agent,
            host: '127.0.0.1',
            port,
            path: '/v1/route',
            method: 'POST',
            timeout: TIMEOUT_MS,
            headers: {
              'content-type': 'application/json',
              'content-length': Buffer.byteLength(payload),
              'x-airouter-virtual-time': String(virtualMs),
            },
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('error', reject);
            response.on('end', () => {
              const text = Buffer.concat(chunks).toString();
              if (response.statusCode === 200) resolve(JSON.parse(text) as RouteAnswer);
              else reject(new AiRouterError('internal', `the router answered ${text}`));
            });
          },
        );
        call.on('timeout', () => call.destroy(new Error('the router did not answer in 10 s')));
        call.on('error', reject);
        call.end(payload);
      });
    },
    close: () => agent.destroy(),
  };
}
