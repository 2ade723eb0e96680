import { describe, expect, it } from 'vitest';
import { backoffMs, pause } from '../../src/log/backoff.js';

describe('backoffMs', () => {
  it('doubles from 50 ms, and never passes 5 s (I11)', () => {
    for (let failures = 1; failures < 2000; failures += 1) {
      const full = Math.min(5000, 50 * 2 ** (failures - 1));
      const delay = backoffMs(failures);
      expect(delay).toBeGreaterThanOrEqual(Math.floor(full * 0.8));
      expect(delay).toBeLessThanOrEqual(full);
    }
  });
});

describe('pause', () => {
  it('ends at once when the signal is given, before or after it began', async () => {
    const signal = new AbortController();
    const begun = pause(3_600_000, signal.signal);
    signal.abort();
    await begun;
    await pause(3_600_000, signal.signal);
  });
});
