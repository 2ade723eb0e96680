/**
 * `import … from 'airouter'`: for programs that write outcomes into the log themselves. Services
 * that speak HTTP take `airouter/client`, which needs nothing but Node.
 */
export { type Clock, wallClock } from './clock.js';
export { AiRouterError } from './errors.js';
export { offeringKey } from './event/offering-key.js';
export type { Operation, RequestOutcome, Status, Uuid } from './event/outcome.js';
export { uuidV7, uuidV8 } from './event/uuid.js';
export { createKafkaLog, type KafkaLogOptions } from './log/kafka-log.js';
export type { Log, LogWriter } from './log/port.js';
export { type Topics, topicsOf } from './log/topics.js';
export {
  createPublisher,
  type Publisher,
  type PublisherOptions,
  type Refusal,
} from './publish/publisher.js';
export type { PublisherStats } from './publish/stats.js';
