import type { HotView } from '../hotkeys/poller.js';
import type { ModelsValue } from '../hotkeys/values.js';
import type { Logger } from '../observe/logger.js';
import { catalogueSnapshot, nextSnapshot, type Snapshot } from './snapshot.js';

/** Where requests find the newest snapshot: in memory, so asking costs nothing. */
export interface SnapshotSource {
  /** Null = there is nothing to decide by yet. */
  current(): Snapshot | null;
  /** Tells of each new one, before the first request that it answers. */
  subscribe?(listener: (snapshot: Snapshot) => void): void;
}

/** The source that a poller of the hot keys feeds. */
export interface PolledSnapshots extends SnapshotSource {
  /** The poller's `onChange`. */
  onChange(view: HotView): void;
}

/**
 * Keeps the newest snapshot. Until the first one is read, the catalogue of `fallbackModels` is
 * given, where there is one.
 */
export function createSnapshotSource(options: {
  logger: Pick<Logger, 'info' | 'warn'>;
  fallbackModels?: ModelsValue;
}): PolledSnapshots {
  const { logger, fallbackModels } = options;
  const fallback = fallbackModels === undefined ? null : catalogueSnapshot(fallbackModels);
  let polled: Snapshot | null = null;
  let brokenNames = '';
  const listeners: ((snapshot: Snapshot) => void)[] = [];
  return {
    current: () => polled ?? fallback,
    subscribe: (listener) => void listeners.push(listener),
    onChange: (view) => {
      const { snapshot, broken } = nextSnapshot(polled, view);
      if (polled?.generation !== snapshot.generation) {
        const offerings = snapshot.catalogue.offerings.size;
        logger.info({ generation: snapshot.generation, offerings }, 'A generation was read.');
      }
      const names = [...broken.keys()].sort().join(', ');
      if (names !== '' && names !== brokenNames) {
        const reasons = [...broken.values()].slice(0, 5);
        logger.warn(
          { keys: names, reasons },
          'Hot keys are not readable; their last values stand.',
        );
      }
      brokenNames = names;
      polled = snapshot;
      for (const listener of listeners) listener(snapshot);
    },
  };
}
