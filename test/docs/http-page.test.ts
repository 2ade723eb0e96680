import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/package-root.js';
import { everyRole } from '../route/every-role.js';

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

/** Answers that hold nothing of the moment. */
const isExact = (url: string) => /^\/v1\/(outcomes|inflight|decisions)$/.test(url);

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
    if (isExact(request.url)) expect(actual).toEqual(answer);
    if (status >= 400) expect(actual).toEqual(answer);
  });

  it('has an example for every route that answers JSON, and names every other one', async () => {
    await app.ready();
    const shown = examples.map(({ request: { method, url } }) => {
      const path = url.replace(/\?.*/, '').replace(/^\/v1\/models\/[^/]+/, '/v1/models/:model');
      return `${method} ${path}`;
    });
    const isFile = (route: string) => /^GET \/(dashboard|docs)\//.test(route);
    const named = [...routes].filter((route) => !isFile(route));
    expect(named.filter((route) => !shown.includes(route)).toSorted()).toEqual([
      'GET /',
      'GET /docs',
      'GET /metrics',
      'GET /v1/models/*',
    ]);
    for (const route of named.filter((it) => it !== 'GET /v1/models/*')) {
      expect(page).toContain(`\`${route.replace(/:(\w+)/, '{$1}')}\``);
    }
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
