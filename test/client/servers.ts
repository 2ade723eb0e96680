import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Access } from '../../src/access/access.js';
import { localAccess } from '../../src/access/local-access.js';
import { AiRouterClient, type AiRouterClientOptions } from '../../src/client/client.js';
import { FakeLog } from '../ingest/fake-log.js';
import { registerIngestOn } from '../ingest/ingest-app.js';
import { appOf, model, snapshot } from '../route/route-app.js';

/** Router and ingest on one port, with a log that does as it is told. */
export async function airouter(
  port = 0,
  access: Access = localAccess,
): Promise<{
  url: string;
  port: number;
  log: FakeLog;
  close(): Promise<void>;
}> {
  const log = new FakeLog();
  const { app } = appOf(snapshot, { access });
  const writer = registerIngestOn(app, log, { acknowledgeMs: 50 }, access);
  await app.listen({ port, host: '127.0.0.1' });
  const taken = (app.server.address() as AddressInfo).port;
  const close = async (): Promise<void> => {
    app.server.closeAllConnections();
    await app.close();
    await writer.close({ deadlineMs: 100 });
  };
  onTestFinished(close);
  return { url: `http://127.0.0.1:${taken}`, port: taken, log, close };
}

/** A server that answers by hand. */
export async function server(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const made = createServer(handle);
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    made.closeAllConnections();
    made.close();
  });
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}`;
}

/** A port where nobody listens. */
export async function nobody(): Promise<string> {
  const url = await server(() => {});
  const made = createServer();
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  const { port } = made.address() as AddressInfo;
  await new Promise((resolve) => made.close(resolve));
  return url.replace(/\d+$/, String(port));
}

export function clientOf(
  url: string,
  options: Partial<AiRouterClientOptions> = {},
): AiRouterClient {
  const client = new AiRouterClient({
    url,
    fallback: {
      [model]: [{ provider: 'azure', region: 'eu' }, { provider: 'openai' }, { provider: 'groq' }],
    },
    timeoutMs: 20_000,
    lingerMs: 1,
    retry: { initialMs: 1, maxMs: 2 },
    ...options,
  });
  onTestFinished(() => client.close({ deadlineMs: 0 }));
  return client;
}

export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}
