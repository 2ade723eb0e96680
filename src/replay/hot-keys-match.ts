import { setTimeout as sleep } from 'node:timers/promises';
import type { HotKeys, HotRead, Vector } from '../hotkeys/port.js';
import type { HotSource } from '../hotkeys/source.js';

/** How often rows and keys are looked at. */
const LOOK_INTERVAL_MS = 250;
/** Writers hold values back for up to a second: so many looks at rest and unequal are unequal. */
const LOOKS_AT_REST_MAX = 16;
/** Whoever does not rest for so many looks cannot be compared. */
const LOOKS_MAX = 60;

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
  pause: () => Promise<void> = () => sleep(LOOK_INTERVAL_MS),
): Promise<boolean | null> {
  let before = await readExpected(source);
  let looksAtRest = 0;
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const read = await hotKeys.read(null);
    const after = await readExpected(source);
    const isAtRest = isSame(before, after);
    if (isAtRest && holds(read, after)) return true;
    looksAtRest = isAtRest ? looksAtRest + 1 : 0;
    if (looksAtRest === LOOKS_AT_REST_MAX) return false;
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
