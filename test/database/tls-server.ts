import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';

export interface Certificate {
  certificateFile: string;
  keyFile: string;
}

/**
 * A certificate that signs itself, for one name of the server (`DNS:…` or `IP:…`), with its key
 * in files of the folder that begin with `name`.
 */
export function selfSigned(folder: string, name: string, subjectName: string): Certificate {
  const keyFile = join(folder, `${name}.key`);
  const certificateFile = join(folder, `${name}.pem`);
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-days', '2', '-subj', '/CN=airouter test', '-addext', `subjectAltName=${subjectName}`],
      ...['-keyout', keyFile, '-out', certificateFile],
    ],
    { stdio: 'ignore' },
  );
  return { certificateFile, keyFile };
}

/**
 * TLS before a Postgres server that has none: answers the client's SSLRequest with the
 * certificate, and hands on what then comes. `refuse` answers as a server without TLS does.
 */
export async function tlsServer(
  backendUrl: string,
  certificate: Certificate | 'refuse',
): Promise<{ url(parameters: string): string; close(): Promise<void> }> {
  const backend = new URL(backendUrl);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('data', () => {
      socket.pause();
      socket.write(certificate === 'refuse' ? 'N' : 'S');
      if (certificate === 'refuse') return;
      const secure = new TLSSocket(socket, {
        isServer: true,
        key: readFileSync(certificate.keyFile),
        cert: readFileSync(certificate.certificateFile),
      });
      const plain = connect(Number(backend.port), backend.hostname);
      sockets.add(plain);
      for (const side of [secure, plain]) side.on('error', () => socket.destroy());
      secure.pipe(plain).pipe(secure);
    });
  });
  const port = await listen(server);
  return {
    url(parameters) {
      const url = new URL(backendUrl);
      url.host = `127.0.0.1:${port}`;
      return `${url.href}?${parameters}`;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}
