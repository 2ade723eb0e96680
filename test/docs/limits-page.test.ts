import { describe, expect, it } from 'vitest';
import { limitsIn, readLimits } from '../../ops/docs/limits.js';
import { readSources } from '../tidy/source.js';

describe('limits', () => {
  it('have each their reason beside them (I11)', () => {
    const limits = readLimits();
    expect(limits.length).toBeGreaterThan(100);
    expect(limits.filter(({ reason }) => reason === '')).toEqual([]);
  });

  it('are found by how they are called, with the comment above them alone', () => {
    const text = [
      '/**',
      ' * Why it is',
      ' * so many.',
      ' */',
      'export const QUEUE_MAX = 1_000;',
      'const IDLE_MS = 5 * 60_000;',
      'const TICK_MS = 5_000;',
    ].join('\n');
    expect(limitsIn('src/x/y.ts', text)).toEqual([
      { name: 'QUEUE_MAX', path: 'src/x/y.ts', value: '1_000', reason: 'Why it is so many.' },
      { name: 'IDLE_MS', path: 'src/x/y.ts', value: '5 * 60_000', reason: '' },
    ]);
  });

  it('have a name: no wait, pause or bound of a queue is a bare number (I11)', () => {
    const bare =
      /\b(?:setTimeout|setInterval)\([^;]*?, [\d_]{2,}\)|\bsleep\([\d_]+|\b\w*(?:Ms|Timeout|TimeoutMillis|Max|timeout)\s?[:=]\s[\d_]{2,}\b(?! [*/])/;
    const breaches = readSources('src')
      .filter(({ path }) => !/^src\/(?:demo|load)\/|\/page\/|\/docs\//.test(path))
      .flatMap(({ path, code }) =>
        code
          .split('\n')
          .map((line, index) => ({ line, place: `${path}:${index + 1}` }))
          .filter(({ line }) => bare.test(line) && !/^(?:export )?const [A-Z]/.test(line))
          .map(({ line, place }) => `${place} ${line.trim()}`),
      );
    expect(breaches).toEqual([]);
  });
});
