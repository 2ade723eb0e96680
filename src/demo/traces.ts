import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../package-root.js';

/** Arrivals of real traffic: when, and how large. The traces hold nothing else. */

export interface Arrival {
  /** ms since the epoch, the trace's own time */
  atMs: number;
  inputTokens: number;
  outputTokens: number;
  kind: TraceKind;
}

const TRACE_KINDS = ['code', 'conv'] as const;
export type TraceKind = (typeof TRACE_KINDS)[number];

const HEADER = 'TIMESTAMP,ContextTokens,GeneratedTokens';
const ROW = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)\.(\d{3})(\d{4}),(\d+),(\d+)$/;

/**
 * The Azure LLM inference traces of November 2023, merged by their 100 ns time stamps; code before
 * conversation where they are equal. Throws where a file is not what was shipped.
 */
export function readArrivals(folder: string = join(packageRoot, 'bench', 'data')): Arrival[] {
  return TRACE_KINDS.flatMap((kind) => readTrace(join(folder, `azure-llm-2023-${kind}.csv`), kind))
    .sort((a, b) => a.arrival.atMs - b.arrival.atMs || a.belowMs - b.belowMs)
    .map(({ arrival }) => arrival);
}

/** The arrivals of the first minutes; null = all. */
export function firstMinutes(arrivals: readonly Arrival[], minutes: number | null): Arrival[] {
  const endMs = minutes === null ? Number.POSITIVE_INFINITY : arrivals[0]!.atMs + minutes * 60_000;
  return arrivals.filter(({ atMs }) => atMs < endMs);
}

interface Row {
  arrival: Arrival;
  /** What is left of the time stamp, in units of 100 ns. */
  belowMs: number;
}

function readTrace(path: string, kind: TraceKind): Row[] {
  const [header, ...lines] = readFileSync(path, 'utf8').split(/\r?\n/);
  if (header !== HEADER) throw new Error(`${path}: the first line must be ${HEADER}`);
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line, index) => {
    const match = ROW.exec(line);
    if (match === null) throw new Error(`${path}:${index + 2}: not a row of the trace`);
    const [, date, time, ms, belowMs, inputTokens, outputTokens] = match;
    return {
      arrival: {
        atMs: Date.parse(`${date}T${time}.${ms}Z`),
        inputTokens: Number(inputTokens),
        outputTokens: Number(outputTokens),
        kind,
      },
      belowMs: Number(belowMs),
    };
  });
}
