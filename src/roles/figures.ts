import type { Pool } from 'pg';
import type { HotKeys } from '../hotkeys/port.js';
import { StateLog } from '../hotkeys/state-log.js';
import type { Logger } from '../observe/logger.js';
import { readDatabaseFigures } from '../project/database-figures.js';
import type { Figures } from '../route/stats.js';

/** People look at them: older ones than this mislead nobody. */
const INTERVAL_MS = 10_000;

/** Writes figures of the database beside the hot keys, until it is closed. */
export function startWritingFigures(parts: {
  pool: Pool;
  schema: string;
  hotKeys: HotKeys;
  logger: Pick<Logger, 'info' | 'warn'>;
}): () => Promise<void> {
  const { pool, schema, hotKeys, logger } = parts;
  const log = new StateLog(logger, {
    ok: 'Figures of the database are written again.',
    failing: 'Figures of the database cannot be written; nothing else depends on them.',
  });
  return repeat(log, async () => {
    await hotKeys.putDatabaseFigures(JSON.stringify(await readDatabaseFigures(pool, schema)));
  });
}

export interface FiguresReader {
  /** What was read last; null = nothing, or not lately. */
  current(): Figures | null;
  close(): Promise<void>;
}

/** Keeps the newest figures in memory: who asks for them waits for nothing. */
export function startReadingFigures(
  hotKeys: HotKeys,
  logger: Pick<Logger, 'info' | 'warn'>,
): FiguresReader {
  let current: Figures | null = null;
  const log = new StateLog(logger, {
    ok: 'Figures of the hot keys are read again.',
    failing: 'Figures of the hot keys cannot be read; nothing else depends on them.',
  });
  const close = repeat(log, async () => {
    const { store, database } = await hotKeys.figures().catch((error: unknown) => {
      current = null; // Old ones would be taken for those of now.
      throw error;
    });
    current = { store, database: database === null ? null : JSON.parse(database) };
  });
  return { current: () => current, close };
}

/** One at a time, the next one an interval after the last one ended. */
function repeat(log: StateLog, work: () => Promise<void>): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const run = async (): Promise<void> => {
    try {
      await work();
      log.ok('figures');
    } catch (error) {
      log.failing('figures', error);
    }
    if (!isClosed) timer = setTimeout(next, INTERVAL_MS);
  };
  const next = (): void => {
    running = run();
  };
  let running = run();
  return async () => {
    isClosed = true;
    clearTimeout(timer);
    await running;
  };
}
