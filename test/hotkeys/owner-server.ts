import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { asAiRouterError } from '../../src/errors.js';
import { handleHotKeysCall } from '../../src/hotkeys/loopback-server.js';
import type { HotKeys } from '../../src/hotkeys/port.js';

export const TOKEN = 'token-of-the-owner';

export interface OwnerServer {
  url: string;
  close(): Promise<void>;
}

/** The owner's route, without the product's HTTP server around it. */
export async function startOwner(hotKeys: HotKeys): Promise<OwnerServer> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.headers.authorization !== `Bearer ${TOKEN}`) {
      response.writeHead(401).end();
      return;
    }
    try {
      const call: unknown = JSON.parse(Buffer.concat(chunks).toString());
      const result = await handleHotKeysCall(hotKeys, call);
      response.writeHead(200).end(JSON.stringify(result));
    } catch (error) {
      const { code } = asAiRouterError(error);
      response.writeHead(code === 'invalid_request' ? 400 : 500).end();
    }
  });
  return { url: await listen(server), close: () => stop(server) };
}

export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/internal/hotkeys`;
}

export async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
