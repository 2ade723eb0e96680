import type { FaultRow } from '../fault-row.js';
import { SOAK } from './campaigns.js';

/** What callers send, what providers do, and how roles begin and end. */
export const roleRows: readonly FaultRow[] = [
  {
    row: 36,
    fault:
      'malformed HTTP: smuggling, huge headers, strange media types, chunked abuse, slow bodies',
    happens: '4xx as problem JSON, or the connection is closed; sockets and waits are bounded.',
    tests: [
      { file: 'test/route/bad-input.test.ts' },
      { file: 'test/route/malformed.test.ts' },
      { file: 'test/route/app.test.ts', name: 'bounds its sockets' },
    ],
  },
  {
    row: 37,
    fault: 'three times the load that there is room for',
    happens: 'Requests are shed with 503 and Retry-After; those that are taken are answered.',
    tests: [
      { file: 'test/route/overload.test.ts', name: 'is refused at the door' },
      { file: 'test/faults/overload.fault.test.ts' },
    ],
    measured:
      'Three times what 64 connections got, against that (load 2 to 3, callers on the same two cores): decisions over 512 connections 1.04 of 9,631 a second, over 4,096 1.08; outcomes 1.24 of 688 calls of 50 a second. Later than 2 s (outcomes: 10 s) were 0.15 % of the decisions; none was broken, and none needed a 503: what had no free connection was not sent.',
  },
  {
    row: 38,
    fault: 'the event loop stands still for seconds',
    happens: 'Less than a session: no partition moves. Longer: row 4.',
    tests: [{ file: 'test/faults/kafka-group.fault.test.ts', name: 'half a session' }],
  },
  {
    row: 39,
    fault: 'a provider browns out: spikes, ramps, bursts of 429, flapping',
    happens: 'Its share falls within seconds and returns when it is well again.',
    tests: [
      { file: 'test/e2e/demo.e2e.test.ts', name: 'browns out' },
      { file: 'test/route/auto.test.ts' },
      { file: 'test/route/breaker.test.ts' },
      { file: 'test/route/change.test.ts' },
    ],
  },
  {
    row: 40,
    fault: 'nothing is healthy, nothing was measured, or the start is cold',
    happens: 'A defined answer all the same: all_open, no_metrics or no_cache in `degraded`.',
    tests: [
      { file: 'test/route/app.test.ts', name: 'I10 answers in catalogue order' },
      { file: 'test/route/decide.test.ts', name: 'takes all as closed where all are open' },
      { file: 'test/route/original-defects.test.ts', name: 'S8' },
    ],
  },
  {
    row: 41,
    fault: 'a policy or a hot key is invalid',
    happens: 'The last good one stays in force.',
    tests: [
      { file: 'test/route/policy-http.test.ts', name: 'the last good one stands' },
      { file: 'test/hotkeys/poller.test.ts', name: 'cannot take is read again' },
    ],
  },
  {
    row: 42,
    fault: 'two versions run side by side, schemas change, an upgrade is rolled back',
    happens:
      'Each version has tables and keys of its own and reads what the other writes. The newer one takes over when it has folded as much; one command goes back, another ends the older one.',
    tests: [
      { file: 'test/faults/upgrade.fault.test.ts' },
      { file: 'test/project/versions.int.test.ts' },
      { file: 'test/e2e/upgrade.e2e.test.ts' },
      { file: 'test/project/projector.int.test.ts', name: 'without the sums of sizes' },
      { file: 'test/database/migrate.int.test.ts', name: 'a newer version migrated' },
      { file: 'test/event/schemas.test.ts' },
      { file: 'test/project/foreign-schemas.int.test.ts' },
    ],
    measured:
      'Five minutes each way under 100 outcomes a second, a projector of either version killed each time: in force after 24 s; 73,820 events, none missing and none twice in either; no request without an answer.',
  },
  {
    row: 43,
    fault: 'secrets in settings, headers and URLs',
    happens: 'None appears in a log, a metric, an error or a parked record.',
    tests: [
      { file: 'test/e2e/secrets.e2e.test.ts' },
      { file: 'test/access/keys-file.test.ts', name: 'that was pasted for its hash' },
    ],
  },
  {
    row: 44,
    fault: 'a provider address that leads inwards (SSRF)',
    happens: 'The product calls no provider and takes no address from events or requests.',
    tests: [],
    whyNot: 'there is nothing to call: offerings have names, no addresses',
  },
  {
    row: 45,
    fault: 'SIGTERM under load',
    happens:
      'What is under way is finished and committed; the process ends within its time, also while Postgres or Kafka are slow or silent: calls that wait for the log are told to send the same again.',
    tests: [
      {
        file: 'test/e2e/all.e2e.test.ts',
        name: 'ends in its time though a caller holds a request open',
      },
      { file: 'test/e2e/stop.e2e.test.ts' },
      { file: 'test/e2e/stop-faults.e2e.test.ts' },
      { file: 'test/e2e/kafka-trouble.e2e.test.ts', name: 'SIGTERM with Kafka' },
    ],
  },
  {
    row: 46,
    fault: 'hours of all of the above, at random',
    happens: 'After it the lag is zero, the books close, every acknowledged id was applied once.',
    tests: [SOAK],
    measured:
      '18 minutes, 105 faults, 86,772 events: none missing, none twice; 8,374 answers meanwhile. Memory that is live (MiB, warm to end): two projectors 95 to 99, ingest 27 to 28, router 29 to 35; a fit through all samples says 2.8, 0.8 and 2.4 for 100 faults, part of it compiled code.',
  },
];
