import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FaultProxy } from '../../ops/faults/fault-proxy.js';

let service: Server;
/** All that the service was sent. */
let received: string;
let proxy: FaultProxy;
let clients: Socket[];

beforeEach(async () => {
  received = '';
  clients = [];
  // Answers each piece with itself.
  service = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (piece) => {
      received += piece.toString('latin1');
      socket.write(piece);
    });
    socket.on('end', () => socket.end());
  });
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  proxy = await FaultProxy.open((service.address() as AddressInfo).port);
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  await proxy.close();
  service.close();
});

async function newClient(port = proxy.port): Promise<{ socket: Socket; text: () => string }> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  clients.push(socket);
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (piece) => {
    text += piece.toString('latin1');
  });
  await once(socket, 'connect');
  return { socket, text: () => text };
}

/** Resolves with whether it ended by an error. */
const closing = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

const poll = (read: () => unknown) => expect.poll(read, { timeout: 10_000, interval: 5 });

describe('the fault proxy', () => {
  it('passes bytes both ways, however many, and the end of a stream', async () => {
    const { socket, text } = await newClient();
    const megabyte = 'x'.repeat(1_048_576);
    socket.end(megabyte);
    await closing(socket);
    expect(text()).toBe(megabyte);
  });

  it('delays what a slow network delays', async () => {
    proxy.slow({ latencyMs: 300 });
    const slow = await newClient();
    const direct = await newClient((service.address() as AddressInfo).port);
    slow.socket.write('slow');
    direct.socket.write('direct');
    await poll(slow.text).toBe('slow');
    expect(received).toBe('directslow');
  });

  it('lets a narrow network pass no more than its share', async () => {
    proxy.slow({ bytesPerSecond: 200 });
    const narrow = await newClient();
    const direct = await newClient((service.address() as AddressInfo).port);
    narrow.socket.write('n'.repeat(60));
    direct.socket.write('d'.repeat(60));
    await poll(narrow.text).toBe('n'.repeat(60));
    expect(received).toBe('d'.repeat(60) + 'n'.repeat(60));
  });

  it.each([
    ['request', ''],
    ['reply', 'late'],
  ] as const)(
    'holds the %s direction of a half-open connection until it heals',
    async (held, seen) => {
      const { socket, text } = await newClient();
      socket.write('a');
      await poll(text).toBe('a');
      received = '';
      proxy.hold(held);
      socket.write('late');
      // A second connection shows how far the first one got.
      const other = await newClient((service.address() as AddressInfo).port);
      await poll(() => {
        other.socket.write('.');
        return other.text().length > 10 && received.replaceAll('.', '');
      }).toBe(seen);
      expect(text()).toBe('a');
      proxy.heal();
      await poll(text).toBe('alate');
    },
  );

  it('resets every connection on a cut, and takes new ones', async () => {
    const { socket } = await newClient();
    const closed = closing(socket);
    socket.write('a');
    await poll(() => received).toBe('a');
    proxy.cut();
    expect(await closed).toBe(true);
    const next = await newClient();
    next.socket.write('b');
    await poll(next.text).toBe('b');
  });

  it('loses the reply to a request that the service has carried out, once', async () => {
    const lost = proxy.loseReplyTo(Buffer.from('COMMIT'));
    const { socket, text } = await newClient();
    socket.write('BEGIN');
    await poll(text).toBe('BEGIN');
    const closed = closing(socket);
    socket.write('COMMIT');
    await lost;
    await closed;
    expect(received).toBe('BEGINCOMMIT');
    expect(text()).toBe('BEGIN');
    const next = await newClient();
    next.socket.write('COMMIT');
    await poll(next.text).toBe('COMMIT');
  });

  it('leaves no half of a connection behind, whichever side ended it', async () => {
    const client = await newClient();
    const ended = closing(client.socket);
    client.socket.write('a');
    await poll(client.text).toBe('a');
    client.socket.resetAndDestroy();
    await ended;
    await poll(() => new Promise((resolve) => service.getConnections((_, n) => resolve(n)))).toBe(
      0,
    );
  });

  it('turns one bit of one reply', async () => {
    const flipped = proxy.flip(Buffer.from('gpt'));
    const { socket, text } = await newClient();
    socket.write('a gpt');
    await flipped;
    await poll(text).toBe('a fpt');
    socket.write('gpt');
    await poll(text).toBe('a fptgpt');
  });

  it('resets its client where there is no service', async () => {
    service.close();
    const lonely = await FaultProxy.open(1);
    const socket = connect({ port: lonely.port, host: '127.0.0.1' });
    socket.on('error', () => {});
    await closing(socket);
    await lonely.close();
  });
});
