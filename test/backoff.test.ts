import { describe, expect, it } from 'vitest';
import { backoffMs, pause } from '../src/backoff.js';

describe('backoffMs', () => {
  const bounds = { initialMs: 50, maxMs: 5_000 };

  it('doubles from the first to the longest, and never passes it (I11)', () => {
    for (let failures = 1; failures < 2000; failures += 1) {
      const full = Math.min(5000, 50 * 2 ** (failures - 1));
      const delay = backoffMs(failures, bounds);
      expect(delay).toBeGreaterThanOrEqual(Math.floor(full / 2));
      expect(delay).toBeLessThanOrEqual(full);
    }
  });

  it('is half drawn, so that those that failed together part company', () => {
    expect(backoffMs(3, bounds, () => 0)).toBe(100);
    expect(backoffMs(3, bounds, () => 0.5)).toBe(150);
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
