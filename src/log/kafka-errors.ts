import { AiRouterError } from '../errors.js';

/** The part of a kafkajs error that says what happened. */
interface KafkaCause {
  name: string;
  /** Kafka's name of the error, such as MESSAGE_TOO_LARGE; undefined where no broker gave it. */
  type: string | undefined;
  message: string;
}

const TOO_LARGE = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'];

/** The innermost cause: kafkajs wraps an error once for each level of retries. */
export function kafkaCause(error: unknown): KafkaCause {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  if (!(inner instanceof Error)) return { name: '', type: undefined, message: String(inner) };
  // What a request for several topics rejects with; here each request is for one.
  if (inner instanceof AggregateError || 'errors' in inner) {
    const [first] = (inner as AggregateError).errors;
    if (first !== undefined) return kafkaCause(first);
  }
  const { type } = inner as { type?: unknown };
  return {
    name: inner.name,
    type: typeof type === 'string' ? type : undefined,
    message: inner.message,
  };
}

export function isUnknownTopic(error: unknown): boolean {
  return kafkaCause(error).type === 'UNKNOWN_TOPIC_OR_PARTITION';
}

/**
 * An error of kafkajs as one of the table. All that is not known to be final is `log_unavailable`:
 * it is tried again. `what` begins the message: "Append to orders/3".
 */
export function asLogError(error: unknown, what: string): AiRouterError {
  if (error instanceof AiRouterError) return error;
  const { name, type, message } = kafkaCause(error);
  if (type !== undefined && TOO_LARGE.includes(type)) {
    return new AiRouterError(
      'record_too_large',
      `${what}: the records are larger than the topic's max.message.bytes`,
      { cause: error },
    );
  }
  if (name === 'KafkaJSNotImplemented') {
    return new AiRouterError('codec_unsupported', `${what}: ${message}; gzip and none are read`, {
      cause: error,
    });
  }
  return new AiRouterError('log_unavailable', `${what}: ${message}`, { cause: error });
}
