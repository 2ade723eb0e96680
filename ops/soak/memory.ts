import type { ProcessMemory } from './role.js';
import type { World } from './world.js';

/** What roles of one kind held together after so many faults. */
export interface MemorySample {
  faults: number;
  /** The same as long as none of them was started again. */
  processes: string;
  liveMib: number;
  residentMib: number;
}

/** By kind of role: `project`, `ingest`, `route`. */
export type MemorySamples = ReadonlyMap<string, readonly MemorySample[]>;

export interface MemoryReport {
  samples: number;
  /** Heap and buffers after all garbage was collected. */
  live_mib: { start: number; warm: number; end: number; max: number };
  resident_mib: { start: number; end: number; max: number };
  /** Of the live memory, within the lives of processes, and its error; null = too few samples. */
  growth_mib_per_100_faults: number | null;
  growth_error: number | null;
}

/** Of a process: connections, compiled code and the first batches have found their size. */
const WARM_UP_MS = 45_000;
/** Of the world: what is held of the last half hour has. */
const FILLED_MS = 240_000;
const SAMPLES_MIN = 30;
/**
 * What leaks leaks with each fault: a connection with its buffers is some 0.1 MiB. Less than this
 * cannot be told from the batches that happen to be under way.
 */
export const GROWTH_MIB_MAX = 5;
const MIB = 2 ** 20;

/** Asks every role for its memory; those that are just being started are left out. */
export class MemoryLog {
  readonly #samples = new Map<string, MemorySample[]>();
  readonly #first = new Map<string, MemorySample>();
  readonly #begunMs = performance.now();

  get samples(): MemorySamples {
    return this.#samples;
  }

  /** The first of each kind, warm or not. */
  get first(): ReadonlyMap<string, MemorySample> {
    return this.#first;
  }

  async note({ roles }: World, faults: number): Promise<void> {
    const kinds = { project: roles.projectors, ingest: [roles.ingest], route: [roles.route] };
    for (const [kind, members] of Object.entries(kinds)) {
      const memories = await Promise.all(members.map((role) => role.memory()));
      const known = memories.filter((memory) => memory !== null);
      if (known.length < members.length) continue;
      const sample = sumOf(known, faults);
      if (!this.#first.has(kind)) this.#first.set(kind, sample);
      const isFilled = performance.now() - this.#begunMs > FILLED_MS;
      if (!isFilled || known.some(({ ageMs }) => ageMs < WARM_UP_MS)) continue;
      this.#samples.set(kind, [...(this.#samples.get(kind) ?? []), sample]);
    }
  }
}

/** Partitions move between projectors with all that is kept of them: only their sum says something. */
function sumOf(memories: readonly ProcessMemory[], faults: number): MemorySample {
  const sum = (of: (memory: ProcessMemory) => number) =>
    memories.reduce((total, memory) => total + of(memory), 0) / MIB;
  return {
    faults,
    processes: memories.map(({ pid }) => pid).join(),
    liveMib: sum(({ heap, buffers }) => heap + buffers),
    residentMib: sum(({ resident }) => resident),
  };
}

export function memoryReport({ samples, first }: MemoryLog): Record<string, MemoryReport> {
  return Object.fromEntries([...first].map(([kind, start]) => reportOf(kind, start, samples)));
}

function reportOf(
  kind: string,
  start: MemorySample,
  samples: MemorySamples,
): [string, MemoryReport] {
  const warm = samples.get(kind) ?? [];
  const all = [start, ...warm];
  const growth = growthOf(warm);
  const most = (of: (sample: MemorySample) => number) => rounded(Math.max(...all.map(of)));
  return [
    kind,
    {
      samples: warm.length,
      live_mib: {
        start: rounded(start.liveMib),
        warm: rounded(all[1]?.liveMib ?? start.liveMib),
        end: rounded(all.at(-1)!.liveMib),
        max: most(({ liveMib }) => liveMib),
      },
      resident_mib: {
        start: rounded(start.residentMib),
        end: rounded(all.at(-1)!.residentMib),
        max: most(({ residentMib }) => residentMib),
      },
      growth_mib_per_100_faults: growth === null ? null : rounded(growth.slope * 100),
      growth_error: growth === null ? null : rounded(growth.error * 100),
    },
  ];
}

/** I11: kinds of roles whose live memory grows beyond doubt, and beyond the bound. */
export function memoryFailures({ samples }: MemoryLog): string[] {
  return [...samples].flatMap(([kind, list]) => {
    const growth = growthOf(list);
    if (growth === null || (growth.slope - 2 * growth.error) * 100 <= GROWTH_MIB_MAX) return [];
    const mib = rounded(growth.slope * 100);
    return [`I11: live memory of ${kind} grew by ${mib} MiB in 100 faults, over ${GROWTH_MIB_MAX}`];
  });
}

/**
 * MiB a fault, by least squares within the lives of processes: each life has its own level, and all
 * have one slope. Null where there are too few samples to tell.
 */
export function growthOf(
  samples: readonly MemorySample[],
): { slope: number; error: number } | null {
  const lives = new Map<string, MemorySample[]>();
  for (const sample of samples) {
    lives.set(sample.processes, [...(lives.get(sample.processes) ?? []), sample]);
  }
  let xx = 0;
  let xy = 0;
  let yy = 0;
  for (const life of lives.values()) {
    const meanX = meanOf(life.map(({ faults }) => faults));
    const meanY = meanOf(life.map(({ liveMib }) => liveMib));
    for (const { faults, liveMib } of life) {
      xx += (faults - meanX) ** 2;
      xy += (faults - meanX) * (liveMib - meanY);
      yy += (liveMib - meanY) ** 2;
    }
  }
  const freedom = samples.length - lives.size - 1;
  if (samples.length < SAMPLES_MIN || freedom <= 0 || xx === 0) return null;
  const slope = xy / xx;
  const residual = Math.max(0, yy - slope * xy);
  return { slope, error: Math.sqrt(residual / freedom / xx) };
}

const meanOf = (numbers: readonly number[]): number =>
  numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

const rounded = (mib: number): number => Math.round(mib * 10) / 10;
