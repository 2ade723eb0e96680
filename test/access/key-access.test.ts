import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { afterAll, describe, expect, it } from 'vitest';
import type { AccessKey } from '../../src/access/access-key.js';
import { SCOPES } from '../../src/access/scope.js';
import type { Decision, OutcomeBatch } from '../../src/event/outcome.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { registerRouter } from '../../src/route/app.js';
import { createServer } from '../../src/route/server.js';
import { FakeLog } from '../ingest/fake-log.js';
import {
  decision,
  ingestApp,
  item,
  postTo,
  registerIngestOn,
  TOPICS,
} from '../ingest/ingest-app.js';
import { appOf, model, post, snapshot } from '../route/route-app.js';
import { accessOf, bearer, NOW_MS, newKey } from './keys.js';

const made: FastifyInstance[] = [];
afterAll(() => Promise.all(made.map((app) => app.close())));

function routerWith(...keys: AccessKey[]) {
  const decisions: Decision[] = [];
  const onDecision = (one: Decision) => void decisions.push(one);
  const { app } = appOf(snapshot, { access: accessOf(...keys), onDecision });
  made.push(app);
  const ask = (headers: Record<string, string>) => app.inject(post({ model }, headers));
  return { app, ask, decisions };
}

describe('a key', () => {
  it('lets in who shows it, in either case of the scheme', async () => {
    const { text, key } = newKey();
    const { ask } = routerWith(key);
    expect((await ask(bearer(text))).statusCode).toBe(200);
    expect((await ask({ authorization: `bearer  ${text}` })).statusCode).toBe(200);
  });

  const { text, key } = newKey();
  const other = newKey();
  const expired = newKey({ expiresAtMs: NOW_MS });
  const revoked = newKey({ revokedAtMs: NOW_MS - 1 });
  it.each<[string, Record<string, string>, string, RegExp]>([
    ['missing', {}, 'Bearer realm="airouter"', /a key is needed/],
    ['of another scheme', { authorization: `Basic ${text}` }, 'error="invalid_token"', /none/],
    ['empty', { authorization: 'Bearer ' }, 'error="invalid_token"', /none/],
    ['unknown', bearer(other.text), 'error="invalid_token"', /none/],
    ['of a wrong secret', bearer(text.slice(0, -1)), 'error="invalid_token"', /none/],
    ['with a wrong digit', bearer(`${text.slice(0, 20)}x${text.slice(21)}`), 'invalid', /none/],
    ['with the hash for its text', bearer(key.hash), 'error="invalid_token"', /none/],
    ['followed by more', bearer(`${text}0`), 'error="invalid_token"', /none/],
    ['expired', bearer(expired.text), 'error="invalid_token"', /expired/],
    ['revoked', bearer(revoked.text), 'error="invalid_token"', /revoked/],
  ])('%s is 401', async (_name, headers, challenge, detail) => {
    const { ask, decisions } = routerWith(key, expired.key, revoked.key);
    const answer = await ask(headers);
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.headers['www-authenticate']).toContain(challenge);
    expect(answer.json()).toMatchObject({ code: 'unauthorized', field: 'authorization' });
    expect(answer.json().detail).toMatch(detail);
    expect(decisions).toEqual([]);
  });

  it('of another scope is 403, and the scope that is lacking is named', async () => {
    const analyst = newKey({ scopes: ['analyst'] });
    const answer = await routerWith(analyst.key).ask(bearer(analyst.text));
    expect(answer.statusCode).toBe(403);
    expect(answer.headers['www-authenticate']).toContain(
      'error="insufficient_scope", scope="route"',
    );
    expect(answer.json()).toMatchObject({ code: 'forbidden', rule: 'a key of the scope route' });
  });

  it('rotates: two of one tenant are good at once, and the first can go', async () => {
    const first = newKey();
    const second = newKey();
    const both = routerWith(first.key, second.key);
    for (const { text } of [first, second]) {
      expect((await both.ask(bearer(text))).statusCode).toBe(200);
    }
    expect(both.decisions.map(({ tenant }) => tenant)).toEqual(['acme', 'acme']);
    const after = routerWith({ ...first.key, revokedAtMs: NOW_MS }, second.key);
    expect((await after.ask(bearer(first.text))).statusCode).toBe(401);
    expect((await after.ask(bearer(second.text))).statusCode).toBe(200);
  });

  it('is looked up before the body is read', async () => {
    const answer = await routerWith().app.inject(post('{"model":', {}));
    expect(answer.statusCode).toBe(401);
  });
});

describe('every route', () => {
  /** Both roles on one server, and what may be asked of it. */
  async function everyRole(...keys: AccessKey[]) {
    const app = createServer({ error: () => {} });
    made.push(app);
    const routes: { method: string; url: string; scopes: readonly string[] }[] = [];
    app.addHook('onRoute', (route) => {
      for (const method of [route.method].flat()) {
        if (method === 'HEAD') continue;
        routes.push({
          method,
          url: route.url,
          get scopes() {
            return route.config?.scopes ?? [];
          },
        });
      }
    });
    const access = accessOf(...keys);
    registerRouter(app, {
      snapshotSource: { current: () => snapshot },
      clock: { nowMs: () => NOW_MS },
      logger: { info: () => {}, warn: () => {}, error: () => {} },
      staleAfterMs: 10_000,
      access,
      metrics: createMetrics(),
    });
    registerIngestOn(app, new FakeLog(), {}, access);
    await app.ready();
    return { app, routes };
  }

  const OPEN = /^GET (\/healthz|\/readyz|\/|\/dashboard\/.*)$/;
  const elsewhere = { remoteAddress: '10.0.0.7' };
  const ask = (method: string, url: string, headers = {}): InjectOptions => ({
    method: method as 'GET',
    url,
    headers,
    ...elsewhere,
  });

  it('that is not for everybody is 401 without a key, from wherever', async () => {
    const { app, routes } = await everyRole();
    expect(routes.length).toBeGreaterThan(15);
    for (const { method, url } of routes) {
      const { statusCode } = await app.inject(ask(method, url));
      const name = `${method} ${url}`;
      if (OPEN.test(name)) expect([name, statusCode]).toEqual([name, 200]);
      else expect([name, statusCode]).toEqual([name, 401]);
    }
  });

  it('is 403 for every scope that it does not name, and for no other', async () => {
    const keys = SCOPES.map((scope) => ({ scope, ...newKey({ scopes: [scope], tenant: null }) }));
    const { app, routes } = await everyRole(...keys.map(({ key }) => key));
    for (const { method, url, scopes } of routes) {
      if (OPEN.test(`${method} ${url}`)) continue;
      for (const { scope, text } of keys) {
        const { statusCode } = await app.inject(ask(method, url, bearer(text)));
        const mayPass = scope === 'admin' || scopes.includes(scope);
        const case_ = `${method} ${url} ${scope}`;
        expect([case_, statusCode === 401]).toEqual([case_, false]);
        expect([case_, statusCode !== 403]).toEqual([case_, mayPass]);
      }
    }
  });

  it('tells metrics to programs of this machine without a key, and to nobody through a proxy', async () => {
    const { app } = await everyRole();
    expect((await app.inject({ method: 'GET', url: '/metrics' })).statusCode).toBe(200);
    const headers = { 'x-forwarded-for': '10.0.0.7' };
    expect((await app.inject({ method: 'GET', url: '/metrics', headers })).statusCode).toBe(401);
  });
});

describe('the tenant', () => {
  const acme = newKey({ scopes: ['route', 'ingest'] });
  const admin = newKey({ tenant: 'ops', scopes: ['admin'] });
  const everyone = newKey({ tenant: null, scopes: ['route', 'ingest'] });
  const keys = [acme.key, admin.key, everyone.key];
  const named = (text: string, tenant: string) => ({
    ...bearer(text),
    'x-airouter-tenant': tenant,
  });

  it('of a decision is that of the key; an admin may name one', async () => {
    const { ask, decisions } = routerWith(...keys);
    await ask(bearer(acme.text));
    await ask(named(acme.text, 'acme'));
    await ask(bearer(admin.text));
    await ask(named(admin.text, 'globex'));
    await ask(bearer(everyone.text));
    await ask(named(everyone.text, 'globex'));
    expect(decisions.map(({ tenant }) => tenant)).toEqual([
      'acme',
      'acme',
      'ops',
      'globex',
      '',
      'globex',
    ]);
  });

  it('cannot be named by a key of another one', async () => {
    const { ask, decisions } = routerWith(...keys);
    const answer = await ask(named(acme.text, 'globex'));
    expect(answer.statusCode).toBe(403);
    expect(answer.json()).toMatchObject({ code: 'forbidden', field: 'x-airouter-tenant' });
    expect(decisions).toEqual([]);
  });

  it('must be a name', async () => {
    const answer = await routerWith(...keys).ask(named(admin.text, 'x'.repeat(129)));
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'invalid_request', field: 'x-airouter-tenant' });
  });

  it('must be named once', async () => {
    const { app, decisions } = routerWith(...keys);
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const headers = { ...bearer(admin.text), 'content-type': 'application/json' };
    const ask = (...tenants: string[]) =>
      new Promise<number>((resolve, reject) => {
        const sent = request({
          port,
          method: 'POST',
          path: '/v1/route',
          headers: { ...headers, 'x-airouter-tenant': tenants },
        });
        sent.on('error', reject).on('response', (answer) => {
          answer.resume().on('end', () => resolve(answer.statusCode!));
        });
        sent.end(JSON.stringify({ model }));
      });
    expect(await ask('globex, initech')).toBe(200);
    expect(await ask('globex', 'initech')).toBe(400);
    expect(decisions.map(({ tenant }) => tenant)).toEqual(['globex, initech']);
  });

  const tenantsOf = (log: FakeLog) =>
    log
      .decoded(TOPICS.outcomes)
      .flatMap(({ value }) => (value as OutcomeBatch).outcomes.map(({ tenant }) => tenant));

  const send = async (headers: object, ...items: unknown[]) => {
    const { app, log } = ingestApp(new FakeLog(), {}, accessOf(...keys));
    const request = postTo('/v1/outcomes', { outcomes: items });
    const answer = await app.inject({
      ...request,
      headers: { ...request.headers, ...headers },
    });
    return { body: answer.json(), tenants: tenantsOf(log).toSorted() };
  };

  it('of an outcome is that of the key, which speaks for no other', async () => {
    const items = [item(1), item(2, { tenant: 'globex' }), item(3, { tenant: '' })];
    const { body, tenants } = await send(bearer(acme.text), ...items);
    expect(body).toMatchObject({ accepted: 1, errors: [{ index: 1, field: 'tenant' }, {}] });
    expect(tenants).toEqual(['acme']);
  });

  it('of an outcome may be named by a key of every tenant, in the item or for all', async () => {
    const items = [item(1), item(2, { tenant: 'globex' })];
    expect(await send(bearer(everyone.text), ...items)).toMatchObject({ tenants: ['', 'globex'] });
    const { body, tenants } = await send(named(everyone.text, 'acme'), ...items);
    expect(body).toMatchObject({ accepted: 1, rejected: 1 });
    expect(tenants).toEqual(['acme']);
  });

  it('of a decision that is handed over is checked in the same way', async () => {
    const { app, log } = ingestApp(new FakeLog(), {}, accessOf(...keys));
    const decisions = [decision(1), decision(2, { tenant: 'globex' })];
    const request = postTo('/v1/decisions', { decisions });
    const headers = { ...request.headers, ...bearer(acme.text) };
    expect((await app.inject({ ...request, headers })).json()).toMatchObject({ accepted: 1 });
    expect(log.decoded(TOPICS.decisions)).toMatchObject([{ value: { tenant: 'acme' } }]);
  });
});

describe('a limit', () => {
  it('is 429 with the time to wait, for its key alone', async () => {
    const limited = newKey({ requestsPerSecond: 2 });
    const free = newKey();
    const { ask } = routerWith(limited.key, free.key);
    const answers = [];
    for (let n = 0; n < 3; n++) answers.push(await ask(bearer(limited.text)));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 429]);
    const [first, , third] = answers;
    expect(first!.headers).toMatchObject({ 'ratelimit-limit': '2', 'ratelimit-remaining': '1' });
    expect(third!.headers).toMatchObject({ 'retry-after': '1', 'ratelimit-remaining': '0' });
    expect(third!.json()).toMatchObject({ code: 'rate_limited', status: 429 });
    const other = await ask(bearer(free.text));
    expect(other.statusCode).toBe(200);
    expect(other.headers).not.toHaveProperty('ratelimit-limit');
  });
});
