import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Towards the service, or back to its client. */
export type Direction = 'request' | 'reply';

export interface Shape {
  /** Each piece, of up to 64 KiB, waits for so long. */
  latencyMs: number;
  bytesPerSecond: number;
}

const FAST: Shape = { latencyMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY };

/** Waits for bytes that pass in one direction, within one piece. */
interface Trap {
  direction: Direction;
  bytes: Buffer;
  spring(link: Link, piece: Buffer, index: number): Buffer;
}

/** One client's connection, and ours to the service on its behalf. */
interface Link {
  client: Socket;
  service: Socket;
  /** The service's next answer is lost, and the connection with it. */
  losesReply: (() => void) | null;
}

/**
 * Stands between clients and one service on 127.0.0.1 and does to their connections what networks
 * do. It knows no protocol: whoever wants the reply to a COMMIT lost names the bytes of a COMMIT.
 *
 * - `slow`: latency and bandwidth;
 * - `hold`: half-open, bytes of one direction (or both) stay under way until `heal`, as in a
 *   partition that ends, so that what was sent then arrives late;
 * - `cut`: every connection is reset;
 * - `loseReplyTo`: a request is carried out, and its client never learns it;
 * - `flip`: one bit of a reply is another.
 */
export class FaultProxy {
  readonly #servicePort: number;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #held = new Set<Direction>();
  readonly #traps = new Set<Trap>();
  #shape = FAST;
  #release: () => void = () => {};
  #released: Promise<void> = Promise.resolve();

  private constructor(servicePort: number) {
    this.#servicePort = servicePort;
    const options = { allowHalfOpen: true, noDelay: true };
    this.#server = createServer(options, (client) => this.#accept(client));
  }

  /** Listens on 127.0.0.1; the service need not be there yet. */
  static async open(servicePort: number, port = 0): Promise<FaultProxy> {
    const proxy = new FaultProxy(servicePort);
    proxy.#server.listen(port, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  slow(shape: Partial<Shape>): void {
    this.#shape = { ...FAST, ...shape };
  }

  hold(...directions: Direction[]): void {
    if (this.#held.size === 0) {
      this.#released = new Promise((resolve) => {
        this.#release = resolve;
      });
    }
    for (const direction of directions) this.#held.add(direction);
  }

  cut(): void {
    for (const link of this.#links) reset(link);
  }

  /** Resolves when the service has answered the next request with these bytes, to nobody. */
  loseReplyTo(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#set({
        direction: 'request',
        bytes,
        spring(link, piece) {
          link.losesReply = resolve;
          return piece;
        },
      });
    });
  }

  /** Resolves when one bit of the next occurrence of these bytes in a reply was turned. */
  flip(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#set({
        direction: 'reply',
        bytes,
        spring(_link, piece, index) {
          const flipped = Buffer.from(piece);
          flipped[index] = flipped[index]! ^ 1;
          resolve();
          return flipped;
        },
      });
    });
  }

  /** From now on the network is good; what was held arrives. */
  heal(): void {
    this.#shape = FAST;
    this.#held.clear();
    this.#traps.clear();
    this.#release();
  }

  async close(): Promise<void> {
    this.heal();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }

  #set(trap: Trap): void {
    this.#traps.add(trap);
  }

  #accept(client: Socket): void {
    const service = connect({ port: this.#servicePort, host: '127.0.0.1', allowHalfOpen: true });
    service.setNoDelay(true);
    const link: Link = { client, service, losesReply: null };
    this.#links.add(link);
    const sides = [client, service] as const;
    for (const [side, other] of [sides, sides.toReversed()] as [Socket, Socket][]) {
      // The pump that reads it tells.
      side.on('error', () => {});
      side.once('close', () => {
        // What came through still goes out.
        other.destroySoon();
        if (other.closed) this.#links.delete(link);
      });
    }
    void this.#pump(link, 'request', client, service).catch(() => reset(link));
    void this.#pump(link, 'reply', service, client).catch(() => reset(link));
  }

  async #pump(link: Link, direction: Direction, from: Socket, to: Socket): Promise<void> {
    // The end of one direction is not the end of the other.
    const pieces: AsyncIterable<Buffer> = from.iterator({ destroyOnReturn: false });
    for await (const piece of pieces) {
      const { latencyMs, bytesPerSecond } = this.#shape;
      const delayMs = latencyMs + (piece.length / bytesPerSecond) * 1000;
      if (delayMs > 0) await sleep(delayMs);
      while (this.#held.has(direction)) await this.#released;
      if (direction === 'reply' && link.losesReply !== null) {
        reset(link);
        link.losesReply();
        return;
      }
      if (!to.write(this.#pass(link, direction, piece))) await writable(to);
    }
    to.end();
  }

  #pass(link: Link, direction: Direction, piece: Buffer): Buffer {
    for (const trap of this.#traps) {
      const index = trap.direction === direction ? piece.indexOf(trap.bytes) : -1;
      if (index === -1) continue;
      this.#traps.delete(trap);
      return trap.spring(link, piece, index);
    }
    return piece;
  }
}

/** Resolves also where it has closed: the next write tells. */
async function writable(socket: Socket): Promise<void> {
  await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
}

/** As by a network that gives up: no orderly end, for either side. */
function reset({ client, service }: Link): void {
  for (const socket of [client, service]) {
    // One that is being ended cannot be reset any more, and would keep its handle.
    if (socket.writableEnded) socket.destroy();
    else socket.resetAndDestroy();
  }
}
