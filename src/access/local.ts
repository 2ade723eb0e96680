import type { FastifyRequest } from 'fastify';

/**
 * Why a request does not come from a program on this machine; null where it does. The peer's address
 * counts, not what a header says of it: anybody can write a header. Headers only take away: what a
 * proxy passes on is from elsewhere, and a web page that a browser of this machine shows is too,
 * whatever address its name was given (DNS rebinding).
 */
export function foreignness({ socket, headers }: FastifyRequest): string | null {
  if (!isLoopback(socket.remoteAddress ?? '')) return 'the caller is elsewhere';
  if (headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined) {
    return 'the request was passed on by a proxy';
  }
  if (!isLocalHost(headers.host ?? '')) return 'Host is not localhost, 127.0.0.1 or [::1]';
  const { origin } = headers;
  if (origin === undefined || isLocalHost(origin.replace(/^https?:\/\//, ''))) return null;
  return 'the request is from a page of another host';
}

function isLoopback(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  return plain === '::1' || /^127(\.\d{1,3}){3}$/.test(plain);
}

function isLocalHost(host: string): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i.test(host);
}
