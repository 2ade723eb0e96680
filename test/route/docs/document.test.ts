import type { InjectOptions } from 'fastify';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../../src/errors.js';
import { EXAMPLES } from '../../../src/route/docs/examples.js';
import { everyRole } from '../every-role.js';
import {
  examplesOf,
  faultsOf,
  faultsOfAnswer,
  type OpenApi,
  type Operation,
  operationsOf,
} from './answers.js';

const { app, routes } = everyRole();
await app.ready();
const document = (await app.inject('/docs/json')).json<OpenApi>();
const operations = operationsOf(document);

/** The request of an operation's example. */
function requestOf(name: string, operation: Operation): InjectOptions {
  const [method, path] = name.split(' ') as ['GET' | 'POST', string];
  const payload = operation.requestBody?.content['application/json']?.example;
  const url = path.replace('{model}', 'gpt-4o');
  return payload === undefined ? { method, url } : { method, url, payload: payload as object };
}

describe('the OpenAPI document', () => {
  it('is of OpenAPI 3.1 and of this version of the product', () => {
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'AiRouter', version: '0.1.0' },
      security: [{ key: [] }, {}],
    });
  });

  it('has every route of every role but files and what is no part of the API', () => {
    const shown = [...routes]
      .filter((route) => !/ \/(docs.*|dashboard\/.*|internal\/.*)?$/.test(route))
      .filter((route) => route !== 'GET /v1/models/*')
      .map((route) => route.replaceAll(/:(\w+)/g, '{$1}'));
    expect([...operations.keys()].toSorted()).toEqual(shown.toSorted());
  });

  it.each([...operations])('%s says what it does, answers and refuses', (_name, operation) => {
    expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/);
    expect(operation.summary).toMatch(/^[A-Z]/);
    expect(operation.tags).toHaveLength(1);
    const statuses = Object.keys(operation.responses);
    expect(statuses.filter((status) => status.startsWith('2'))).toHaveLength(1);
    for (const [status, { content }] of Object.entries(operation.responses)) {
      if (!/^[45]/.test(status)) continue;
      const media = content!['application/problem+json']!;
      const { code } = media.schema['properties'] as { code: { enum: (keyof typeof ERRORS)[] } };
      for (const one of code.enum) expect([one, ERRORS[one].http]).toEqual([one, Number(status)]);
      expect(examplesOf(media)).toHaveLength(code.enum.length);
    }
    expect(statuses).toEqual(expect.arrayContaining(['400', '500']));
  });

  it.each([...operations])('%s has examples that are as its schemas say', (name, operation) => {
    const bodies = Object.values(operation.requestBody?.content ?? {});
    const answers = Object.values(operation.responses).flatMap(({ content }) =>
      Object.entries(content ?? {}).flatMap(([type, media]) => (/json/.test(type) ? [media] : [])),
    );
    for (const media of [...bodies, ...answers]) {
      expect(examplesOf(media)).not.toEqual([]);
      for (const value of examplesOf(media)) expect(faultsOf(media.schema, value)).toEqual([]);
    }
    expect(bodies.length > 0).toBe(name.startsWith('POST') && name !== 'POST /v1/cache/clear');
  });

  it('has no example of an operation that is not there', () => {
    const ids = [...operations.values()].map(({ operationId }) => operationId);
    expect(Object.keys(EXAMPLES).filter((id) => !ids.includes(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('the running server', () => {
  it.each([...operations])('%s answers its example as documented', async (name, operation) => {
    const answer = await app.inject(requestOf(name, operation));
    expect(String(answer.statusCode)).toMatch(/^2/);
    expect(faultsOfAnswer(operation, answer)).toEqual([]);
  });

  it.each([...operations])('%s refuses as documented', async (name, operation) => {
    const request = requestOf(name, operation);
    const wrong: InjectOptions[] = [{ ...request, remoteAddress: '10.0.0.1' }];
    if (request.method === 'GET') wrong.push({ ...request, url: `${request.url}?no_such=1` });
    else {
      wrong.push({ ...request, payload: { no_such: 1 } });
      wrong.push({ ...request, payload: 'x', headers: { 'content-type': 'text/csv' } });
      wrong.push({ ...request, payload: '{', headers: { 'content-type': 'application/json' } });
      wrong.push({ ...request, payload: { outcomes: [{}] } });
    }
    if (request.url!.toString().includes('gpt-4o')) {
      wrong.push({ ...request, url: String(request.url).replace('gpt-4o', 'none') });
    }
    for (const one of wrong) {
      expect([one, faultsOfAnswer(operation, await app.inject(one))]).toEqual([one, []]);
    }
  });

  it.each([...operations])('%s says 304 to who has the answer', async (name, operation) => {
    const request = requestOf(name, operation);
    const { headers } = await app.inject(request);
    expect('etag' in headers).toBe('304' in operation.responses);
    if (headers['etag'] === undefined) return;
    const again = { ...request, headers: { 'if-none-match': String(headers['etag']) } };
    const answer = await app.inject(again);
    expect(answer.statusCode).toBe(304);
    expect(faultsOfAnswer(operation, answer)).toEqual([]);
  });

  it.each([...operations])('%s answers before anything was read', async (name, operation) => {
    const { app: cold } = everyRole(null);
    const answer = await cold.inject(requestOf(name, operation));
    expect(faultsOfAnswer(operation, answer)).toEqual([]);
  });
});

describe('the page', () => {
  it('is there, runs its own files alone, and needs no other host', async () => {
    const page = await app.inject('/docs');
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    const files = [...page.body.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url!);
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      expect(file).toMatch(/^\.?\/(?!\/)/);
      expect((await app.inject(new URL(file, 'http://x/docs/').pathname)).statusCode).toBe(200);
    }
  });
});

it('a breach of the document is seen', () => {
  const operation = operations.get('POST /v1/route')!;
  const schema = operation.responses['200']!.content!['application/json']!.schema;
  const good = EXAMPLES['route']!.answer as Record<string, unknown>;
  expect(faultsOf(schema, good)).toEqual([]);
  expect(faultsOf(schema, { ...good, extra: 1 })).not.toEqual([]);
  expect(faultsOf(schema, { ...good, explored: null })).not.toEqual([]);
  const { policy: _, ...less } = good;
  expect(faultsOf(schema, less)).not.toEqual([]);
  const headers = { 'content-type': 'application/json' };
  expect(faultsOfAnswer(operation, { statusCode: 418, headers, body: '{}' })).not.toEqual([]);
});
