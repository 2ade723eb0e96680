import { describe, expect, it } from 'vitest';
import type { RouteAppOptions } from '../../src/route/app.js';
import type { Snapshot } from '../../src/route/snapshot.js';
import { AS_OF } from './fixtures.js';
import { appOf, model, post, snapshot } from './route-app.js';

const clear = (payload?: object) =>
  ({ method: 'POST', url: '/v1/cache/clear', ...(payload && { payload }) }) as const;

describe('GET /v1/stats', () => {
  it('has what was written of the database and the store, and counts what it answered', async () => {
    const database = {
      connection_statistics: { total: 5, active: 1, idle: 4, max: 100 },
      table_statistics: {
        offering: { live_rows: 3, dead_rows: 0, inserts: 3, updates: 0, deletes: 0, bytes: 8192 },
      },
      cache_efficiency: 99.5,
    };
    const store = {
      connected_clients: 5,
      used_memory_human: '2.50M',
      keyspace_hits: 1250,
      keyspace_misses: 98,
    };
    const { app } = appOf(snapshot, { figures: () => ({ store, database }) });
    const stats = async () => (await app.inject('/v1/stats')).json();
    const before = await stats();
    expect(before).toEqual({
      database,
      redis: store,
      service_performance: {
        cache_hits: 0,
        cache_misses: 0,
        cache_hit_rate: null,
        avg_query_time: null,
      },
    });
    for (let i = 0; i < 8; i++) await app.inject(post({ model }));
    for (let i = 0; i < 2; i++) await app.inject('/v1/models');
    const { service_performance: after } = await stats();
    expect(after).toMatchObject({ cache_hits: 8, cache_misses: 2, cache_hit_rate: 80 });
    expect(after.avg_query_time).toBeGreaterThan(0);
  });

  it('says null of what nobody wrote lately, which is not 0', async () => {
    const { database, redis } = (await appOf().app.inject('/v1/stats')).json();
    expect(database).toEqual({
      connection_statistics: null,
      table_statistics: null,
      cache_efficiency: null,
    });
    expect(Object.values(redis)).toEqual([null, null, null, null]);
  });
});

describe('POST /v1/cache/clear', () => {
  it('forgets what was made of the state, reads it anew, and answers all the time', async () => {
    let reads = 0;
    const readAnew = async () => {
      reads += 1;
    };
    const { app } = appOf(snapshot, { readAnew });
    const first = await app.inject('/v1/models');
    await app.inject(post({ model }));
    const answer = await app.inject(clear());
    expect(answer.json()).toEqual({
      cleared: { bodies: 1, plans: 1 },
      state: { generation: '1-db', version: 7 },
    });
    expect(reads).toBe(1);
    expect((await app.inject('/v1/models')).body).toBe(first.body);
    expect((await app.inject(post({ model }))).statusCode).toBe(200);
    expect((await app.inject(clear({}))).json().cleared).toEqual({ bodies: 1, plans: 1 });
  });

  it('is not what a body asks for', async () => {
    const answer = await appOf().app.inject(clear({ everything: true }));
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'invalid_request', field: 'body' });
  });
});

/** Plans that are there once a request was answered and a new state came. */
async function plansOfNewState(virtual: Pick<RouteAppOptions, 'asOfClock'>): Promise<number> {
  const listeners: ((snapshot: Snapshot) => void)[] = [];
  const snapshotSource = {
    current: () => snapshot,
    subscribe: (listener: (snapshot: Snapshot) => void) => void listeners.push(listener),
  };
  const { app } = appOf(snapshot, { snapshotSource, ...virtual });
  expect((await app.inject(post({ model }))).statusCode).toBe(200);
  for (const listener of listeners) listener({ ...snapshot });
  return (await app.inject(clear())).json().cleared.plans;
}

it('plans are made ahead of requests in real time, and in virtual time for those that come', async () => {
  expect(await plansOfNewState({})).toBe(2);
  expect(await plansOfNewState({ asOfClock: { nowMs: () => AS_OF * 1000 } })).toBe(1);
});
