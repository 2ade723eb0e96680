import { setTimeout as sleep } from 'node:timers/promises';
import type { HotKeys, HotRead, Vector } from '../hotkeys/port.js';
import type { HotSource } from '../hotkeys/source.js';

export const MATCH_LOOKS = {
  intervalMs: 250,
  /** Writers hold values back for up to a second: this long at rest and unequal is unequal. */
  atRestMax: 16,
  /** Whoever never rests for so long cannot be compared. */
  max: 60,
};

interface Expected {
  generation: string;
  vectors: readonly Vector[];
  values: ReadonlyMap<string, string | null>;
}

/**
 * Whether the hot keys say what the rows say. While outcomes are folded, keys are rightly behind
 * for up to a second: so they are compared when the rows stand still. Null = they never did.
 */
export async function hotKeysMatch(
  source: HotSource,
  hotKeys: Pick<HotKeys, 'read'>,
  pause: () => Promise<void> = () => sleep(MATCH_LOOKS.intervalMs),
): Promise<boolean | null> {
  let before = await readExpected(source);
  let looksAtRest = 0;
  for (let look = 0; look < MATCH_LOOKS.max; look += 1) {
    const read = await hotKeys.read(null);
    const after = await readExpected(source);
    const isAtRest = isSame(before, after);
    if (isAtRest && holds(read, after)) return true;
    looksAtRest = isAtRest ? looksAtRest + 1 : 0;
    if (looksAtRest === MATCH_LOOKS.atRestMax) return false;
    before = after;
    await pause();
  }
  return null;
}

async function readExpected(source: HotSource): Promise<Expected> {
  const generation = await source.generation();
  const [health, metrics] = [await source.health(), await source.metrics(null)];
  return {
    generation,
    vectors: [health.vector, metrics.vector],
    values: new Map([...metrics.values, ['health', health.value] as const]),
  };
}

function isSame(a: Expected, b: Expected): boolean {
  const text = ({ generation, vectors }: Expected) => JSON.stringify([generation, vectors]);
  return text(a) === text(b);
}

function holds(read: HotRead | null, expected: Expected): boolean {
  if (read === null || read.generation !== expected.generation) return false;
  const values = [...expected.values].filter(([, value]) => value !== null);
  const stored = [...read.changed].filter(([, value]) => value !== null);
  return (
    values.length === stored.length &&
    values.every(([key, value]) => read.changed.get(key) === value)
  );
}
