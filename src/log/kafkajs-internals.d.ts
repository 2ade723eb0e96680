// What of kafkajs 2.2.4 is used beyond its public API, and why:
// - `Cluster`: connections, leaders and single requests. The public API reads only as a member of
//   a group, one loop for all partitions, and finds offsets only of whole topics.
// - `protocol` of fetch: the version of a request decides whether a follower may answer it.
// - `Batch`: drops records below the offset asked for, control records and aborted transactions.
// - `RequestQueue`: has a defect that kafka-client.ts repairs.
// The version is pinned in package.json, and kafka-client.ts refuses to repair another one.

declare module 'kafkajs/src/cluster/index.js' {
  import type { ISocketFactory, Logger, RetryOptions, SASLOptions } from 'kafkajs';

  import type { FetchCall } from 'kafkajs/src/protocol/requests/fetch/index.js';

  export interface Broker {
    connectionPool: { send<T>(call: FetchCall<T>): Promise<T> };
    listOffsets(request: {
      isolationLevel: 0;
      topics: { topic: string; partitions: { partition: number; timestamp: number }[] }[];
    }): Promise<{ responses: { partitions: { offset: string }[] }[] }>;
  }

  export default class Cluster {
    constructor(options: {
      logger: Logger;
      socketFactory: ISocketFactory;
      brokers: string[];
      ssl?: object;
      sasl?: SASLOptions;
      clientId: string;
      connectionTimeout: number;
      authenticationTimeout: number;
      requestTimeout: number;
      enforceRequestTimeout: boolean;
      metadataMaxAge: number;
      allowAutoTopicCreation: boolean;
      maxInFlightRequests: null;
      retry: RetryOptions;
    });
    connect(): Promise<void>;
    addMultipleTargetTopics(topics: string[]): Promise<void>;
    refreshMetadataIfNecessary(): Promise<void>;
    findTopicPartitionMetadata(topic: string): { partitionId: number; leader: number }[];
    findBroker(node: { nodeId: number }): Promise<Broker>;
  }
}

declare module 'kafkajs/src/protocol/requests/fetch/index.js' {
  /** Request and decoder of the answer, as a connection takes them. */
  export interface FetchCall<Answer> {
    response: {
      /** `payload` begins behind the correlation id. */
      decode(payload: Buffer): Promise<unknown>;
      parse(decoded: unknown): Promise<Answer>;
    };
  }
  export interface FetchAnswer {
    responses: { topicName: string; partitions: { partition: number }[] }[];
  }
  export function protocol(options: { version: 10 }): (request: {
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    /** 1 = only records of committed transactions */
    isolationLevel: 1;
    topics: {
      topic: string;
      partitions: { partition: number; fetchOffset: string; maxBytes: number }[];
    }[];
  }) => FetchCall<FetchAnswer>;
  // Node finds no named exports in this module.
  const requests: { protocol: typeof protocol };
  export default requests;
}

declare module 'kafkajs/src/consumer/batch.js' {
  import type { KafkaMessage } from 'kafkajs';

  export default class Batch {
    constructor(topic: string, fetchedOffset: string, partitionData: { partition: number });
    readonly highWatermark: string;
    /** As they came, below `fetchedOffset` too. */
    readonly rawMessages: readonly unknown[];
    readonly messages: readonly KafkaMessage[];
    /** Of the last one, visible or not. */
    lastOffset(): string;
  }
}

declare module 'kafkajs/src/loggers/index.js' {
  import type { Logger, logCreator, logLevel } from 'kafkajs';

  export function createLogger(options: { level: logLevel; logCreator: logCreator }): Logger;
}

declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    readonly pending: readonly unknown[];
    throttledUntil: number;
    throttleCheckTimeoutId: NodeJS.Timeout | null;
    checkPendingRequests(): void;
    scheduleCheckPendingRequests(): void;
  }
}

declare module 'kafkajs/package.json' {
  export const version: string;
}
