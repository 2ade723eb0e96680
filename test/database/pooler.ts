import { connect, createServer, type Socket } from 'node:net';

/**
 * What a pooler does to a session, before a real server: it lets through no startup parameters
 * but user, database and encoding, and tells the client a process id of its own.
 */
export async function pooler(backendUrl: string): Promise<{ url: string; close(): Promise<void> }> {
  const backend = new URL(backendUrl);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const plain = connect(Number(backend.port), backend.hostname);
    for (const socket of [client, plain]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    client.on('close', () => plain.destroy());
    plain.on('close', () => client.destroy());
    client.once('data', (startup: Buffer) => {
      plain.write(withoutSettings(startup));
      client.pipe(plain);
    });
    let isEntered = false;
    plain.on('data', (bytes: Buffer) => {
      if (!isEntered) isEntered = withOwnProcessId(bytes);
      client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(backendUrl);
  url.host = `127.0.0.1:${(server.address() as { port: number }).port}`;
  return {
    url: url.href,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const PASSED_ON = new Set(['user', 'database', 'client_encoding']);

/** StartupMessage: int32 length, int32 version, then pairs of texts that end with a zero. */
function withoutSettings(startup: Buffer): Buffer {
  const texts = startup.toString('utf8', 8).split('\0');
  const kept: string[] = [];
  for (let i = 0; i + 1 < texts.length && texts[i] !== ''; i += 2) {
    if (PASSED_ON.has(texts[i]!)) kept.push(`${texts[i]}\0${texts[i + 1]}\0`);
  }
  const body = Buffer.from(`${kept.join('')}\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(body.length + 8, 0);
  startup.copy(head, 4, 4, 8);
  return Buffer.concat([head, body]);
}

/** BackendKeyData: 'K', int32 length 12, int32 process id, int32 key. Answers whether it was there. */
function withOwnProcessId(bytes: Buffer): boolean {
  const at = bytes.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]));
  if (at < 0) return false;
  bytes.writeInt32BE(1, at + 5);
  return true;
}
