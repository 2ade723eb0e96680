import { expect, test } from 'vitest';
import { serverProperties } from '../../ops/stack/kafka-properties.js';

function propertiesOf(count: number): Map<string, string> {
  const nodes = Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    brokerPort: 21_000 + index,
    controllerPort: 22_000 + index,
  }));
  const text = serverProperties(nodes[0] as (typeof nodes)[0], nodes, '/data');
  return new Map(
    text
      .trim()
      .split('\n')
      .map((line) => line.split(/=(.*)/s) as [string, string]),
  );
}

test('three brokers keep three copies, acknowledge with two, and elect no unclean leader', () => {
  const properties = propertiesOf(3);
  expect(properties.get('default.replication.factor')).toBe('3');
  expect(properties.get('min.insync.replicas')).toBe('2');
  expect(properties.get('offsets.topic.replication.factor')).toBe('3');
  expect(properties.get('unclean.leader.election.enable')).toBe('false');
  expect(properties.get('controller.quorum.voters')).toBe(
    '1@127.0.0.1:22000,2@127.0.0.1:22001,3@127.0.0.1:22002',
  );
});

test('one broker asks for no copies that it cannot have', () => {
  const properties = propertiesOf(1);
  for (const [name, value] of properties) {
    if (/replication\.factor$|min\.(isr|insync\.replicas)$/.test(name)) expect(value).toBe('1');
  }
});

test('no topic is made by a mere question', () => {
  expect(propertiesOf(1).get('auto.create.topics.enable')).toBe('false');
});
