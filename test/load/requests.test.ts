import { afterEach, expect, it } from 'vitest';
import { RouteRequests } from '../../src/load/requests.js';
import { preciseNowMs } from '../../src/load/schedule.js';
import { answeringServer } from './answering-server.js';

let close = async (): Promise<void> => {};
afterEach(() => close());

it('no request waits for the answer of another, and each counts from when it was due', async () => {
  let arrived = 0;
  let openGate = (): void => {};
  const allArrived = new Promise<void>((resolve) => {
    openGate = resolve;
  });
  const server = await answeringServer(async () => {
    arrived += 1;
    if (arrived === 20) openGate();
    await allArrived;
    return { status: 200, body: { degraded: ['stale'] } };
  });
  close = server.close;
  const requests = new RouteRequests(server.url, null);
  for (let i = 0; i < 20; i++) requests.send({ i }, preciseNowMs() - 1_000);
  await requests.settled();
  requests.close();
  expect(requests.report()).toMatchObject({ requests: 20, answered: 20, degraded: { stale: 20 } });
  expect(requests.report().p50).toBeGreaterThanOrEqual(1_000);
});

it('what is not an answer is counted by what it was', async () => {
  const server = await answeringServer(({ status }) => ({ status: status as number, body: {} }));
  const requests = new RouteRequests(server.url, null);
  for (const status of [404, 503, 503]) requests.send({ status }, preciseNowMs());
  await requests.settled();
  await server.close();
  requests.send({ status: 200 }, preciseNowMs());
  await requests.settled();
  requests.close();
  expect(requests.report()).toEqual({
    requests: 4,
    answered: 0,
    failed: { 404: 1, 503: 2, none: 1 },
    not_sent: 0,
    degraded: {},
  });
});
