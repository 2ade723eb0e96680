import type { IncomingMessage, ServerResponse } from 'node:http';
import { Server, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/**
 * How long a server that stops still waits for requests on connections that are open: callers who
 * are at work learn from an answer's `connection: close` that they shall go elsewhere, instead of
 * finding their next request reset. With the last connection the wait ends.
 */
const GRACE_MS = 500;
/** How often it is looked whether all are answered. */
const LOOK_INTERVAL_MS = 25;

/**
 * Ends a server's connections in order when it closes: no new ones are taken, requests are answered
 * and their connections closed, then connections without a request end at once. Node would wait for
 * one that was opened and never used until its headers are overdue, and hold up the whole stop.
 */
export function drainOnClose(app: FastifyInstance): void {
  const { server } = app;
  const open = new Set<Socket>();
  /** Of those, the ones without a request under way. */
  const idle = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    idle.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      idle.delete(socket);
    });
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket);
    response.once('close', () => {
      if (!socket.destroyed) idle.add(socket);
    });
  });
  app.addHook('preClose', async () => {
    if (!server.listening) return;
    // What the kernel has accepted by now is taken first: it would be reset with the listener.
    await nextTurn();
    // Not that of http, which ends idle connections with it.
    Server.prototype.close.call(server);
    const endMs = performance.now() + GRACE_MS;
    while (open.size > 0 && performance.now() < endMs) await sleep(LOOK_INTERVAL_MS);
    // Right after what has arrived was read, or a request that is here already would be reset.
    const sweep = (): void => {
      for (const socket of idle) socket.destroySoon();
    };
    const sweeping = setInterval(() => setImmediate(sweep), LOOK_INTERVAL_MS);
    server.once('close', () => clearInterval(sweeping));
  });
}
