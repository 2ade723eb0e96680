import type { CommandContext } from '../commands/context.js';
import { findOwner } from '../database/owner.js';
import { AiRouterError } from '../errors.js';
import type { HotKeys } from '../hotkeys/port.js';
import type { Log } from '../log/port.js';
import { topicsOf } from '../log/topics.js';
import { openKafkaLog } from '../roles/kafka.js';
import { openHotKeys, openParts } from '../roles/parts.js';
import { redisHotKeys } from '../roles/route.js';

/** What a load is made against: running processes, as the settings or the data folder name them. */
export interface LoadTarget {
  log: Log;
  outcomesTopic: string;
  partitions: number;
  /** Null = nobody holds them, or they cannot be reached from here. */
  hotKeys: HotKeys | null;
  /** Of the owner of the data folder; null = it has none. */
  routerUrl: string | null;
  close(): Promise<void>;
}

export async function openTarget(context: CommandContext): Promise<LoadTarget> {
  const places = await openPlaces(context);
  try {
    const outcomesTopic = topicsOf(context.config.namespace).outcomes;
    const partitions = (await places.log.partitions([outcomesTopic])).get(outcomesTopic);
    if (partitions !== undefined) return { ...places, outcomesTopic, partitions };
    throw new AiRouterError(
      'invalid_usage',
      `there is no topic ${outcomesTopic}: start \`airouter all\` first`,
    );
  } catch (error) {
    await places.close();
    throw error;
  }
}

/** Where Kafka and Redis are named, neither a database nor the data folder is needed. */
async function openPlaces(
  context: CommandContext,
): Promise<Pick<LoadTarget, 'log' | 'hotKeys' | 'routerUrl' | 'close'>> {
  const { config, logger } = context;
  const isBare =
    config.databaseUrl === null &&
    config.redisUrl !== null &&
    (await findOwner(config.dataDir)) === null;
  const kafka = isBare ? openKafkaLog({ config, logger }) : null;
  if (kafka !== null) {
    const hotKeys = redisHotKeys(config, logger);
    return { log: kafka, hotKeys, routerUrl: null, close: () => kafka.close() };
  }
  const parts = await openParts(context, 'attach');
  const port = parts.attachedTo?.port ?? null;
  return {
    log: parts.log,
    hotKeys: await openHotKeys(parts, 'if-there'),
    routerUrl: port === null ? null : `http://127.0.0.1:${port}`,
    close: parts.close,
  };
}
