import { describe, expect, it } from 'vitest';
import { appOf, model, post } from '../route/route-app.js';

describe('without keys', () => {
  const { app } = appOf();
  const ask = (headers: Record<string, string>, remoteAddress = '127.0.0.1') =>
    app.inject({ ...post({ model }, headers), remoteAddress });

  it.each(['localhost', 'LocalHost:8080', '127.0.0.1', '127.0.0.1:8080', '[::1]', '[::1]:8080'])(
    'host %s is served',
    async (host) => {
      expect((await ask({ host })).statusCode).toBe(200);
    },
  );

  it.each([
    'rebound.example',
    'rebound.example:8080',
    '127.0.0.1.rebound.example',
    'localhost.rebound.example',
    'localhost:8080.rebound.example',
    'localhost:8080@rebound.example',
    '10.0.0.7',
    '0.0.0.0',
    '[::]',
    '127.0.0.1:',
  ])('host %j is refused: a web page may have given its name our address', async (host) => {
    const answer = await ask({ host });
    expect(answer.statusCode).toBe(403);
    expect(answer.json()).toMatchObject({ code: 'forbidden' });
    expect(answer.json().detail).toMatch(/Host is not/);
  });

  it('a page of another host is refused, a page of its own is not', async () => {
    expect((await ask({ origin: 'https://evil.example' })).statusCode).toBe(403);
    expect((await ask({ origin: 'null' })).statusCode).toBe(403);
    expect((await ask({ origin: 'http://localhost:8080' })).statusCode).toBe(200);
  });

  it.each([
    ['another address', {}, '10.0.0.7'],
    ['another address that says it is ours', { 'x-forwarded-for': '127.0.0.1' }, '10.0.0.7'],
    ['a proxy beside us', { 'x-forwarded-for': '127.0.0.1' }, '127.0.0.1'],
    ['a proxy beside us, by its standard', { forwarded: 'for=10.0.0.7' }, '::1'],
  ])('%s is refused', async (_name, headers, address) => {
    expect((await ask(headers, address)).statusCode).toBe(403);
  });

  it.each(['/', '/dashboard/main.js', '/v1/board', '/metrics'])(
    '%s is refused for another host too',
    async (url) => {
      const answer = await app.inject({ url, headers: { host: 'rebound.example' } });
      expect([403, 404]).toContain(answer.statusCode);
    },
  );

  it('every tenant may be named', async () => {
    expect((await ask({ 'x-airouter-tenant': 'acme' })).statusCode).toBe(200);
  });
});
