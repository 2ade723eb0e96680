import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appOf, model } from './route-app.js';

// Fault matrix, row 36: what is not the HTTP that it should be, on bare sockets.

const BODY = JSON.stringify({ model });
const HOST = 'Host: localhost\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';
const LENGTH = `Content-Length: ${BODY.length}\r\n`;
const POST = `POST /v1/route HTTP/1.1\r\n${HOST}${JSON_TYPE}`;
const SMUGGLED = `GET /healthz HTTP/1.1\r\n${HOST}\r\n`;

let app: FastifyInstance;
let decided = 0;
let port: number;
beforeAll(async () => {
  ({ app } = appOf(undefined, {
    onDecision: () => {
      decided += 1;
    },
  }));
  await app.listen({ port: 0, host: '127.0.0.1' });
  ({ port } = app.server.address() as { port: number });
});
afterAll(() => app.close());

/** Sends the parts as they are, and reads until the server hangs up. */
function talk(...parts: (string | Buffer)[]): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', async () => {
      for (const part of parts) {
        if (!socket.writable) return;
        socket.write(part);
        await new Promise((sent) => setImmediate(sent));
      }
    });
    socket.on('data', (data: Buffer) => {
      answer += data.toString('latin1');
    });
    // What was sent into a closed connection.
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}

const statusesOf = (answer: string) =>
  [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

async function expectServing(): Promise<void> {
  const before = decided;
  const answer = await talk(`${POST}${LENGTH}Connection: close\r\n\r\n${BODY}`);
  expect(statusesOf(answer)).toEqual([200]);
  expect(decided).toBe(before + 1);
}

describe('malformed HTTP', () => {
  const chunk = (size: string, data: string) => `${size}\r\n${data}\r\n`;
  const whole = chunk(BODY.length.toString(16), BODY);
  const CHUNKED = 'Transfer-Encoding: chunked\r\n';

  it.each<[string, string | Buffer]>([
    ['no HTTP', 'hello\r\n\r\n'],
    ['a TLS greeting', Buffer.from('16030100c8010000c40303', 'hex')],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a method in lower case', `get /healthz HTTP/1.1\r\n${HOST}\r\n`],
    ['a space in the address', `GET /health z HTTP/1.1\r\n${HOST}\r\n`],
    ['a control character in the address', `GET /\u0001 HTTP/1.1\r\n${HOST}\r\n`],
    ['NUL in a header', `${POST}X: a\u0000b\r\n${LENGTH}\r\n${BODY}`],
    ['a bare CR in a header', `${POST}X: a\rb\r\n${LENGTH}\r\n${BODY}`],
    ['a space before the colon', `${POST}Content-Length : ${BODY.length}\r\n\r\n${BODY}`],
    ['a folded header', `${POST}X: a\r\n b\r\nTransfer-Encoding\r\n : chunked\r\n\r\n`],
    ['a name with a bracket', `${POST}X(y): z\r\n${LENGTH}\r\n${BODY}`],
    ['two lengths', `${POST}${LENGTH}Content-Length: 5\r\n\r\n${BODY}`],
    ['a list of lengths', `${POST}Content-Length: ${BODY.length}, 5\r\n\r\n${BODY}`],
    ['a length below 0', `${POST}Content-Length: -1\r\n\r\n${BODY}`],
    ['a length with a sign', `${POST}Content-Length: +${BODY.length}\r\n\r\n${BODY}`],
    ['a length in hex', `${POST}Content-Length: 0x10\r\n\r\n${BODY}`],
    ['a length beyond all numbers', `${POST}Content-Length: ${'9'.repeat(30)}\r\n\r\n${BODY}`],
    ['length and chunks', `${POST}${LENGTH}${CHUNKED}\r\n0\r\n\r\n${SMUGGLED}`],
    ['chunks and length', `${POST}${CHUNKED}${LENGTH}\r\n0\r\n\r\n${SMUGGLED}`],
    ['an encoding that hides chunks', `${POST}Transfer-Encoding: xchunked\r\n\r\n${whole}`],
    ['chunks that are not last', `${POST}Transfer-Encoding: chunked, gzip\r\n\r\n${whole}`],
    ['chunks behind a tab', `${POST}Transfer-Encoding:\u000bchunked\r\n${LENGTH}\r\n${SMUGGLED}`],
    ['a size of chunk that is none', `${POST}${CHUNKED}\r\n${chunk('zz', BODY)}`],
    ['a size of chunk below 0', `${POST}${CHUNKED}\r\n${chunk('-5', BODY)}`],
    ['a size of chunk beyond all', `${POST}${CHUNKED}\r\n${chunk('f'.repeat(17), BODY)}`],
    ['a chunk longer than it says', `${POST}${CHUNKED}\r\n${chunk('2', BODY)}0\r\n\r\n`],
    ['an endless extension', `${POST}${CHUNKED}\r\n2;${'x'.repeat(40_000)}\r\n{}\r\n0\r\n\r\n`],
    ['headers of 20 KiB', `${POST}X: ${'x'.repeat(20 * 1024)}\r\n${LENGTH}\r\n${BODY}`],
    ['5,000 headers', `${POST}${'x: 12345678\r\n'.repeat(5_000)}${LENGTH}\r\n${BODY}`],
    ['an address of 20 KiB', `GET /${'x'.repeat(20 * 1024)} HTTP/1.1\r\n${HOST}\r\n`],
    ['trailers of 20 KiB', `${POST}${CHUNKED}\r\n${whole}0\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
  ])('%s is 4xx, once, and the end of the connection', async (_name, bytes) => {
    const before = decided;
    const answer = await talk(bytes, SMUGGLED);
    const statuses = statusesOf(answer);
    expect(statuses).toHaveLength(1);
    expect(statuses[0]).toBeGreaterThanOrEqual(400);
    expect(statuses[0]).toBeLessThan(500);
    expect(answer).toContain('application/problem+json');
    expect(answer).not.toContain('"status":"ok"');
    expect(decided).toBe(before);
  });

  it('is named by what is wrong with it', async () => {
    expect(await talk(`${POST}X: ${'x'.repeat(20 * 1024)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 [\s\S]*"code":"headers_too_large"/,
    );
    expect(await talk('hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"invalid_request"/);
  });

  it('of an older time is told nothing', async () => {
    expect(statusesOf(await talk('GET /v1/models HTTP/1.1\r\n\r\n'))).toEqual([400]);
    expect(statusesOf(await talk('GET /v1/models HTTP/1.0\r\n\r\n'))).toEqual([403]);
    expect(statusesOf(await talk('GET /v1/models\r\n\r\n'))).toEqual([403]);
  });

  it('spoils nothing for others', expectServing);
});

describe('chunks', () => {
  it('are joined, also byte by byte', async () => {
    const bytes = [...BODY].map((one) => `1\r\n${one}\r\n`);
    const head = `${POST}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n`;
    expect(statusesOf(await talk(head, ...bytes, '0\r\n\r\n'))).toEqual([200]);
  });

  it('I11 beyond 64 KiB are 413, whatever is still to come', async () => {
    const part = `4000\r\n${' '.repeat(0x4000)}\r\n`;
    const head = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
    const answer = await talk(head, ...Array.from({ length: 8 }, () => part));
    expect(statusesOf(answer)).toEqual([413]);
    await expectServing();
  });
});

describe('what comes slowly', () => {
  it('I11 is 408 and the end of the connection: headers, and a body', async () => {
    const { server } = app;
    expect([server.headersTimeout, server.requestTimeout]).toEqual([5_000, 10_000]);
    expect([server.timeout, server.keepAliveTimeout]).toEqual([60_000, 72_000]);
    expect(server.maxConnections).toBe(10_000);
    server.headersTimeout = 100;
    server.requestTimeout = 200;
    const answers = await Promise.all([
      talk(POST),
      talk(`${POST}${LENGTH}\r\n`, BODY.slice(0, 5)),
      talk(`${POST}Transfer-Encoding: chunked\r\n\r\n5\r\n`),
    ]);
    server.headersTimeout = 5_000;
    server.requestTimeout = 10_000;
    for (const answer of answers) {
      expect(statusesOf(answer)).toEqual([408]);
      expect(answer).toContain('"code":"request_timeout"');
    }
    await expectServing();
  });
});

describe('media types', () => {
  it.each([
    'application/json garbage',
    'application/json\u000b;x=y',
    'application/json, text/plain',
    'application /json',
    'application/json/x',
    'text/plain; application/json',
    'application/json\u00ff',
  ])('%j is 415', async (type) => {
    const head = `POST /v1/route HTTP/1.1\r\n${HOST}Content-Type: ${type}\r\n${LENGTH}`;
    const bytes = Buffer.from(`${head}Connection: close\r\n\r\n${BODY}`, 'latin1');
    expect(['415', '400']).toContain(String(statusesOf(await talk(bytes))[0]));
  });

  it.each(['application/json\t; charset=utf-8', 'application/json;', ' \tapplication/json \t'])(
    '%j is taken',
    async (type) => {
      const head = `POST /v1/route HTTP/1.1\r\n${HOST}Content-Type: ${type}\r\n${LENGTH}`;
      expect(statusesOf(await talk(`${head}Connection: close\r\n\r\n${BODY}`))).toEqual([200]);
    },
  );
});
