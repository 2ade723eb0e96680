import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readArrivals } from '../../src/demo/traces.js';

describe('readArrivals', () => {
  const arrivals = readArrivals();

  it('has every row of both traces: 8,819 of code and 19,366 of conversation', () => {
    const code = arrivals.filter(({ kind }) => kind === 'code');
    expect([code.length, arrivals.length - code.length]).toEqual([8_819, 19_366]);
    const sum = (of: 'inputTokens' | 'outputTokens'): number =>
      arrivals.reduce((total, arrival) => total + arrival[of], 0);
    expect([sum('inputTokens'), sum('outputTokens')]).toEqual([40_421_844, 4_334_561]);
  });

  it('is in order of time, an hour of 16 November 2023', () => {
    for (let i = 1; i < arrivals.length; i++) {
      expect(arrivals[i]!.atMs).toBeGreaterThanOrEqual(arrivals[i - 1]!.atMs);
    }
    expect(arrivals[0]).toEqual({
      atMs: Date.UTC(2023, 10, 16, 18, 15, 46, 680),
      inputTokens: 374,
      outputTokens: 44,
      kind: 'conv',
    });
    expect(arrivals.at(-1)!.atMs).toBe(Date.UTC(2023, 10, 16, 19, 14, 19, 928));
  });
});

describe('readArrivals of other files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'airouter-traces-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const HEADER = 'TIMESTAMP,ContextTokens,GeneratedTokens';
  const write = (kind: string, ...lines: string[]): void =>
    writeFileSync(join(folder, `azure-llm-2023-${kind}.csv`), lines.join('\r\n'));

  it('orders by all digits of the time stamp, and code first where they are equal', () => {
    write('code', HEADER, '2023-11-16 18:00:00.0000009,1,1', '2023-11-16 18:00:00.0000010,2,1', '');
    write('conv', HEADER, '2023-11-16 18:00:00.0000008,3,1', '2023-11-16 18:00:00.0000010,4,1', '');
    expect(readArrivals(folder).map(({ inputTokens }) => inputTokens)).toEqual([3, 1, 2, 4]);
  });

  it('names the line that is not a row of a trace', () => {
    write('code', HEADER, '2023-11-16 18:00:00.0000009,1,1', '2023-11-16 18:00:00.0000010,,1');
    write('conv', HEADER);
    expect(() => readArrivals(folder)).toThrow(/azure-llm-2023-code\.csv:3/);
  });

  it('refuses a file with other columns', () => {
    write('code', 'time,in,out');
    expect(() => readArrivals(folder)).toThrow(/the first line must be/);
  });
});
