import type { Config } from '../config.js';
import { AiRouterError } from '../errors.js';
import type { KafkaConnection } from '../log/kafka-connection.js';
import { createKafkaLog } from '../log/kafka-log.js';
import type { PartitionReport } from '../log/partition-report.js';
import type { Log } from '../log/port.js';
import type { Logger } from '../observe/logger.js';

export interface KafkaParts {
  config: Config;
  logger: Logger;
  /** Of topics that are made here. */
  singleNode?: boolean;
  report?: (report: PartitionReport) => void;
}

/** The log that KAFKA_BROKERS names; null where it is not set. */
export function openKafkaLog({ config, logger, singleNode, report }: KafkaParts): Log | null {
  if (config.kafkaBrokers === null) return null;
  return createKafkaLog({
    brokers: config.kafkaBrokers,
    ssl: config.kafkaSsl === 'true',
    sasl: saslOf(config),
    fetchBytesMax: config.fetchBytesMax,
    sessionTimeoutMs: config.sessionTimeoutMs,
    watchdogMs: config.watchdogMs,
    singleNode: singleNode ?? false,
    logger,
    ...(report === undefined ? {} : { report }),
  });
}

function saslOf(config: Config): KafkaConnection['sasl'] {
  const { kafkaSaslMechanism: mechanism, kafkaSaslUsername: username } = config;
  const { kafkaSaslPassword: password } = config;
  if (mechanism === null && username === null && password === null) return null;
  if (mechanism !== null && username !== null && password !== null) {
    return { mechanism, username, password };
  }
  throw new AiRouterError(
    'invalid_setting',
    'KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are set together or not at all',
    { field: 'KAFKA_SASL_MECHANISM', rule: 'set together' },
  );
}
