import { expect, test } from 'vitest';
import { AiRouterError } from '../../src/errors.js';
import { partitionLog } from '../../src/roles/partition-log.js';

const partition = { topic: 'orders', partition: 3 };
const error = new AiRouterError('log_unavailable', 'the log is away');

function lines() {
  let nowMs = 0;
  const said: [string, object, string][] = [];
  const level = (name: string) => (fields: object, message: string) =>
    void said.push([name, fields, message]);
  const logger = { info: level('info'), warn: level('warn'), error: level('error') };
  const report = partitionLog(logger as never, () => nowMs);
  return { said, report, at: (ms: number) => (nowMs = ms) };
}

test('an outage is a line in half a minute, whatever is tried meanwhile (I11)', () => {
  const { said, report, at } = lines();
  for (let ms = 0; ms <= 60_000; ms += 100) {
    at(ms);
    report({ kind: 'retrying', partition: ms % 200 === 0 ? partition : null, error, delayMs: 100 });
  }
  expect(said.map(([level, fields]) => [level, fields])).toEqual([
    ['warn', { ...partition, reason: 'the log is away', tries: 1 }],
    ['warn', { ...partition, reason: 'the log is away', tries: 300 }],
    ['warn', { ...partition, reason: 'the log is away', tries: 300 }],
  ]);
});

test('each stop is said, and that the partition goes on', () => {
  const { said, report } = lines();
  report({ kind: 'stopped', partition, error });
  report({ kind: 'resumed', partition });
  report({ kind: 'stopped', partition, error });
  expect(said.map(([level]) => level)).toEqual(['error', 'info', 'error']);
});
