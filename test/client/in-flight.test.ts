import { expect, it } from 'vitest';
import { InFlight } from '../../src/client/in-flight.js';

let ms = 0;
const tracked = () => new InFlight('e', 1_000, () => ms);
const NOW = 1_767_225_601_000;

it('counts what started, what is in flight and what is overdue, with the age of the oldest', () => {
  const inFlight = tracked();
  const first = inFlight.begin('a');
  ms += 600;
  const second = inFlight.begin('a');
  inFlight.begin('b');
  ms += 500;
  const tick = 353_445_120;
  const a = { emitter: 'e', offering: 'a', tick };
  const b = { emitter: 'e', offering: 'b', tick };
  expect(inFlight.gauges(NOW)).toEqual([
    { ...a, started: 2, in_flight: 2, overdue: 1, oldest_ms: 1_100 },
    { ...b, started: 1, in_flight: 1, overdue: 0, oldest_ms: 500 },
  ]);
  first.end();
  first.end();
  ms += 1_000;
  expect(inFlight.gauges(NOW)[0]).toEqual({
    ...a,
    started: 0,
    in_flight: 1,
    overdue: 1,
    oldest_ms: 1_500,
  });
  second.end();
  expect(inFlight.gauges(NOW)[0]).toEqual({
    ...a,
    started: 0,
    in_flight: 0,
    overdue: 0,
    oldest_ms: 0,
  });
  expect(inFlight.gauges(NOW).map(({ offering }) => offering)).toEqual(['b']);
});

it('I11 tracks a bounded number of offerings and attempts, and counts the others', () => {
  const offerings = tracked();
  for (let n = 0; n < 1_003; n++) offerings.begin(`o${n}`).end();
  expect(offerings.untracked).toBe(3);
  expect(offerings.gauges(NOW)).toHaveLength(1_000);
  const attempts = tracked();
  for (let n = 0; n < 100_002; n++) attempts.begin('a');
  expect(attempts.untracked).toBe(2);
  expect(attempts.gauges(NOW)[0]).toMatchObject({ in_flight: 100_000 });
});
