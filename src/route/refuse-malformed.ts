import type { Socket } from 'node:net';
import { AiRouterError, type ErrorCode } from '../errors.js';
import { PROBLEM_TYPE, problemOf } from './problem.js';

/** What is not HTTP, or not in time, never becomes a request: answered on the bare socket. */
export function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const problem = problemOf(errorOf(error));
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${REASONS[problem.status]}\r\ncontent-type: ${PROBLEM_TYPE}\r\n` +
      `connection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Payload Too Large',
  431: 'Request Header Fields Too Large',
};

/** The parser's own words are not passed on. */
function errorOf({ code }: NodeJS.ErrnoException): AiRouterError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return broken('request_timeout', 'whole, in time');
    case 'HPE_HEADER_OVERFLOW':
      return broken('headers_too_large', 'with headers of at most 16 KiB');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return broken('payload_too_large', 'without extensions of chunks');
    default:
      return broken('invalid_request', 'well-formed HTTP/1.1');
  }
}

function broken(code: ErrorCode, rule: string): AiRouterError {
  const field = 'request';
  return new AiRouterError(code, `${field} must be ${rule}`, { field, rule });
}
