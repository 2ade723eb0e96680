import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A schema registry on this machine: answers `GET /schemas/ids/{id}` as it is told. */
export interface RegistryServer {
  url: string;
  /** Paths that were asked for, with the authorization that came with them. */
  asked: string[];
  /** By id: the schema's text; ids without one answer 404. */
  schemas: Map<number, string>;
  /** Answers everything, while it is set. */
  instead: ((response: ServerResponse) => void) | null;
  close(): Promise<void>;
}

export async function registryServer(): Promise<RegistryServer> {
  const server = createServer((request, response) => {
    const { authorization = '' } = request.headers;
    registry.asked.push(`${request.url} ${authorization}`.trim());
    if (registry.instead !== null) return registry.instead(response);
    const id = Number(/\/schemas\/ids\/(\d+)$/.exec(request.url ?? '')?.[1]);
    const schema = registry.schemas.get(id);
    response.setHeader('content-type', 'application/vnd.schemaregistry.v1+json');
    response.statusCode = schema === undefined ? 404 : 200;
    const missing = { error_code: 40403, message: `Schema ${id} not found` };
    response.end(JSON.stringify(schema === undefined ? missing : { schema }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const registry: RegistryServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    schemas: new Map(),
    instead: null,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return registry;
}
