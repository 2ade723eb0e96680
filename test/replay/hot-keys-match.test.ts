import { describe, expect, it } from 'vitest';
import type { HotRead } from '../../src/hotkeys/port.js';
import type { HotSource } from '../../src/hotkeys/source.js';
import { hotKeysMatch } from '../../src/replay/hot-keys-match.js';

/** Rows whose offset and one value follow a clock of looks, and keys that follow rows. */
function world(offsetAt: (look: number) => number, keyAt: (look: number) => number) {
  let look = 0;
  const source: HotSource = {
    generation: async () => 'v1.a',
    generationInForce: async () => 'v1.a',
    health: async () => ({ vector: { orders: [offsetAt(look)] }, value: 'healthy' }),
    metrics: async () => ({
      vector: { orders: [offsetAt(look)] },
      values: new Map([
        ['metrics:a', `${offsetAt(look)}`],
        ['metrics:gone', null],
      ]),
    }),
  };
  const read = async (): Promise<HotRead> => ({
    generation: 'v1.a',
    state: { lanes: {} } as HotRead['state'],
    changed: new Map([
      ['health', 'healthy'],
      ['metrics:a', `${keyAt(look)}`],
    ]),
    complete: true,
  });
  const pause = async () => {
    look += 1;
  };
  return { source, hotKeys: { read }, pause, looks: () => look };
}

describe('hot keys and rows (I7)', () => {
  it('match at the first look where they are equal', async () => {
    const { source, hotKeys, pause, looks } = world(
      () => 7,
      () => 7,
    );
    expect(await hotKeysMatch(source, hotKeys, pause)).toBe(true);
    expect(looks()).toBe(0);
  });

  it('match as soon as a value that was held back is written', async () => {
    const { source, hotKeys, pause } = world(
      () => 7,
      (look) => (look < 5 ? 6 : 7),
    );
    expect(await hotKeysMatch(source, hotKeys, pause)).toBe(true);
  });

  it('do not match where they stay unequal at rest', async () => {
    const { source, hotKeys, pause } = world(
      () => 7,
      () => 6,
    );
    expect(await hotKeysMatch(source, hotKeys, pause)).toBe(false);
  });

  it('do not match where a key is too many', async () => {
    const { source, pause } = world(
      () => 7,
      () => 7,
    );
    const read = async () =>
      ({ generation: 'v1.a', changed: new Map([['health', 'healthy']]) }) as unknown as HotRead;
    expect(await hotKeysMatch(source, { read }, pause)).toBe(false);
    expect(await hotKeysMatch(source, { read: async () => null }, pause)).toBe(false);
  });

  it('are not judged where the rows never stand still', async () => {
    let offset = 0;
    const { source, hotKeys, pause } = world(
      () => offset++,
      () => -1,
    );
    expect(await hotKeysMatch(source, hotKeys, pause)).toBeNull();
  });

  it('are compared in the first pause of a busy log', async () => {
    const { source, hotKeys, pause } = world(
      (look) => Math.min(look, 20),
      (look) => Math.min(look, 20) - (look < 25 ? 1 : 0),
    );
    expect(await hotKeysMatch(source, hotKeys, pause)).toBe(true);
  });
});
