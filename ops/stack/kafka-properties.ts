/** One node: a broker and a controller in one process. */
export interface KafkaNode {
  id: number;
  brokerPort: number;
  controllerPort: number;
  /** One more listener, whose clients are told to come by another port. */
  proxied?: ProxiedListener;
}

/** For clients that go through a proxy: what brokers advertise is where clients go. */
export interface ProxiedListener {
  port: number;
  advertisedPort: number;
}

/** Any constant of 22 base64 characters does: the clusters never meet. */
export const CLUSTER_ID = 'YWlyb3V0ZXItc3RhY2stMQ';

/**
 * server.properties of one node of a cluster, small and quick to start. With three nodes every
 * topic has three copies and a write needs two of them, as in production.
 */
export function serverProperties(
  node: KafkaNode,
  nodes: readonly KafkaNode[],
  dataDir: string,
): string {
  const copies = nodes.length;
  const copiesInSync = copies >= 3 ? 2 : 1;
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': node.id,
    'controller.quorum.voters': nodes
      .map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`)
      .join(','),
    listeners: [
      `PLAINTEXT://127.0.0.1:${node.brokerPort}`,
      `CONTROLLER://127.0.0.1:${node.controllerPort}`,
      ...(node.proxied === undefined ? [] : [`PROXIED://127.0.0.1:${node.proxied.port}`]),
    ].join(','),
    'advertised.listeners': [
      `PLAINTEXT://127.0.0.1:${node.brokerPort}`,
      ...(node.proxied === undefined ? [] : [`PROXIED://127.0.0.1:${node.proxied.advertisedPort}`]),
    ].join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT',
    'log.dirs': dataDir,
    'auto.create.topics.enable': false,
    'default.replication.factor': copies,
    'min.insync.replicas': copiesInSync,
    'unclean.leader.election.enable': false,
    'offsets.topic.num.partitions': copies,
    'offsets.topic.replication.factor': copies,
    'transaction.state.log.num.partitions': copies,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': copiesInSync,
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': copiesInSync,
    'group.initial.rebalance.delay.ms': 0,
    // A dead broker is noticed after three seconds instead of nine: fault tests wait for it.
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    // Threads and buffers for one client on a small machine.
    'num.network.threads': 2,
    'num.io.threads': 2,
    'background.threads': 1,
    'log.cleaner.dedupe.buffer.size': 2_097_152,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** `meta.properties`: what formatting writes into an empty data folder. */
export function metaProperties(node: KafkaNode): string {
  return `version=1\ncluster.id=${CLUSTER_ID}\nnode.id=${node.id}\n`;
}

/** Heap and compiler of a broker. `quick` starts soonest; `full` is for measuring throughput. */
export const JVM_OPTIONS = {
  quick: ['-Xms96m', '-Xmx320m', '-XX:TieredStopAtLevel=1', '-XX:MaxDirectMemorySize=64m'],
  full: ['-Xms512m', '-Xmx1g'],
} as const;
