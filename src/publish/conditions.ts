import { Condition, type PublisherLogger } from './condition.js';

/** What a publisher says about itself as a whole. */
export interface PublisherConditions {
  /** From the first outcome that is turned away until half of the memory is free. */
  dropping: Condition;
  /** While the disk fails what is written to the spool. */
  unwritable: Condition;
  /** From a write that found no room in the spool until a segment was removed. */
  full: Condition;
}

export function publisherConditions(topic: string, logger: PublisherLogger): PublisherConditions {
  return {
    dropping: new Condition(
      (fields) => logger.error({ topic, ...fields }, 'Outcomes are dropped and counted.'),
      (fields) => logger.info({ topic, ...fields }, 'Outcomes are accepted again.'),
    ),
    unwritable: new Condition(
      (fields) =>
        logger.error(
          { topic, ...fields },
          'The spool cannot be written; batches stay in memory as far as it goes.',
        ),
      () => logger.info({ topic }, 'The spool can be written again.'),
    ),
    full: new Condition(
      (fields) =>
        logger.warn(
          { topic, ...fields },
          'The spool is full; batches stay in memory as far as it goes.',
        ),
      () => logger.info({ topic }, 'The spool has room again.'),
    ),
  };
}

/** What it says about one partition. */
export interface LaneConditions {
  /** From an append that rejects to one that does not. */
  failing: Condition;
  /** From a batch that expires to one that is acknowledged. */
  expiring: Condition;
  /** While the disk fails what is read from the spool. */
  unreadable: Condition;
}

export function laneConditions(
  topic: string,
  partition: number,
  logger: PublisherLogger,
): LaneConditions {
  return {
    failing: new Condition(
      (fields) =>
        logger.warn(
          { topic, partition, ...fields },
          'The log does not take the batches of a partition; they wait and are sent again.',
        ),
      () => logger.info({ topic, partition }, 'The log takes the batches of the partition again.'),
    ),
    expiring: new Condition(
      () =>
        logger.error(
          { topic, partition },
          'Batches that waited for more than seven days are dropped and counted.',
        ),
      (fields) => logger.info({ topic, partition, ...fields }, 'No more batches expire.'),
    ),
    unreadable: new Condition(
      (fields) =>
        logger.error(
          { topic, partition, ...fields },
          'The spool cannot be read; its partition waits until it can.',
        ),
      () => logger.info({ topic, partition }, 'The spool can be read again.'),
    ),
  };
}
