import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/observe/metrics.js';
import { packageRoot } from '../../src/package-root.js';
import { registerRouter } from '../../src/route/app.js';
import { createServer } from '../../src/route/server.js';
import { registerIngestOn } from '../ingest/ingest-app.js';
import { AS_OF, measured, minute, offering, tick } from '../route/fixtures.js';

const page = readFileSync(join(packageRoot, 'docs', 'http.md'), 'utf8');

const EXAMPLE = /```http\n(GET|POST) (\S+)\n(?:\n([^`]*))?```\n\n```json (\d+)\n([^`]*)```/g;
const examples = [...page.matchAll(EXAMPLE)].map(([, method, url, body, status, answer]) => ({
  name: `${method} ${url} ${status}`,
  request: {
    method: method as 'GET' | 'POST',
    url: url as string,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, payload: body }),
  },
  status: Number(status),
  answer: JSON.parse(answer as string) as unknown,
}));

/** Every role on one server, and its routes as `METHOD /path`. */
function everyRole(): { app: FastifyInstance; routes: Set<string> } {
  const app = createServer({ error: () => {} });
  const routes = new Set<string>();
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) if (one !== 'HEAD') routes.add(`${one} ${url}`);
  });
  const own = offering('gpt-4o', 'openai');
  const snapshot = measured([own], {
    ticks: { [own.offering]: [tick(0, { success: 5 })] },
    minutes: { [own.offering]: [minute(5, { success: 99, error: 1 })] },
  });
  const logger = { info: () => {}, warn: () => {}, error: () => {} };
  registerRouter(app, {
    snapshotSource: { current: () => snapshot },
    clock: { nowMs: () => AS_OF * 1000 + 250 },
    logger,
    staleAfterMs: 10_000,
    metrics: createMetrics(),
  });
  registerIngestOn(app);
  return { app, routes };
}

/** Where the example shows nothing within, there may be something: null, an empty list, a map. */
function expectShape(actual: unknown, documented: unknown, path: string): void {
  if (documented === null || actual === null || path.endsWith('.vector')) return;
  expect([path, typeof actual]).toEqual([path, typeof documented]);
  if (Array.isArray(documented) && Array.isArray(actual)) {
    if (documented.length > 0 && actual.length > 0) {
      expectShape(actual[0], documented[0], `${path}[]`);
    }
    return;
  }
  if (typeof documented !== 'object') return;
  const fields = (value: unknown) => Object.keys(value as object).toSorted();
  expect([path, fields(actual)]).toEqual([path, fields(documented)]);
  for (const [name, field] of Object.entries(documented)) {
    expectShape((actual as Record<string, unknown>)[name], field, `${path}.${name}`);
  }
}

describe('docs/http.md', () => {
  const { app, routes } = everyRole();

  it.each(examples)('$name answers as it is documented', async ({ request, status, answer }) => {
    const response = await app.inject(request);
    expect(response.statusCode).toBe(status);
    const actual = response.json();
    expectShape(actual, answer, 'answer');
    if (request.method === 'POST' && request.url !== '/v1/route') expect(actual).toEqual(answer);
    if (status >= 400) expect(actual).toEqual(answer);
  });

  it('has an example for every route that answers JSON, and names every other one', async () => {
    await app.ready();
    const shown = examples.map(({ request: { method, url } }) => {
      const path = url.replace(/\?.*/, '').replace(/^\/v1\/models\/.*/, '/v1/models/*');
      return `${method} ${path}`;
    });
    const isFile = (route: string) => route.startsWith('GET /dashboard/');
    const named = [...routes].filter((route) => !isFile(route));
    expect(named.filter((route) => !shown.includes(route)).toSorted()).toEqual([
      'GET /',
      'GET /metrics',
    ]);
    for (const route of named) expect(page).toContain(`\`${route}\``);
    expect(page).toContain('`POST /internal/hotkeys`');
  });

  it('links to headings that are there', () => {
    const anchors = [...page.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor);
    const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, text]) => slug(text as string));
    const known = new Set<string>();
    for (const one of headings) known.add(known.has(one) ? `${one}-1` : one);
    expect(anchors.filter((anchor) => !known.has(anchor as string))).toEqual([]);
  });
});

/** As GitHub makes them. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

it('a changed shape is seen', () => {
  expect(() => expectShape({ a: [{ b: 1 }] }, { a: [{ c: 1 }] }, 'x')).toThrow();
  expect(() => expectShape({ a: 1, d: 2 }, { a: 1 }, 'x')).toThrow();
});
