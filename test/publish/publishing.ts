import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../src/clock.js';
import type { PublisherLogger } from '../../src/publish/condition.js';
import {
  createPublisher,
  type Publisher,
  type PublisherOptions,
} from '../../src/publish/publisher.js';
import type { ScriptedConnection } from './scripted-log.js';

export const TOPIC = 'airouter.outcomes.v1';

/** A publisher without a spool that flushes only when told and retries at once. */
export function publisher(
  log: ScriptedConnection,
  change: Partial<PublisherOptions> = {},
): Publisher {
  let drawn = false;
  return createPublisher({
    log,
    topic: TOPIC,
    partitions: 3,
    clock: new HandClock(),
    publisherId: () => {
      if (drawn) throw new Error('the id is drawn once');
      drawn = true;
      return Buffer.alloc(16, 7);
    },
    lingerMs: 0,
    queueMax: 10_000,
    spoolDir: null,
    spoolBytesMax: 64 * 1024 * 1024,
    retry: { initialMs: 1, maxMs: 2 },
    ...change,
  });
}

export class HandClock implements Clock {
  ms = 1_800_000_000_000;

  nowMs(): number {
    return this.ms;
  }
}

export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'airouter-spool-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Waits, turn by turn, until it holds; a test that waits for ever ends by its own timeout. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

export function lines(): PublisherLogger & { lines: string[] } {
  const said: string[] = [];
  const say = (level: string) => (_fields: object, message: string) => {
    said.push(`${level}: ${message}`);
  };
  return { lines: said, info: say('info'), warn: say('warn'), error: say('error') };
}
