/** What one round came to. */
export interface Round {
  /** Events, decisions, requests: the same kind for all who are compared. */
  units: number;
  cpuSeconds: number;
}

/** Does one round of the work and measures it. */
export type Contender = () => Promise<Round>;

/** Ready to be measured: the answers were compared before. */
export interface Contest {
  ours: Contender;
  floor: Contender;
  /** Null where nobody else does this: `peerReason` says why. */
  peer: Contender | null;
  /** What was compared, with a figure that is the same on every run. */
  answer: string;
  close(): Promise<void>;
}

/** `smoke` is small enough for every test run; its figures mean nothing. */
export type Size = 'full' | 'smoke';

export interface Bench {
  name: string;
  /** Of all three figures; more is better. */
  unit: string;
  floorIs: string;
  peerIs: string;
  /** Throws where an answer is wrong. */
  open(size: Size): Promise<Contest>;
}

/** A round in this process: `work` answers the units that it did. */
export function inThisProcess(work: () => number | Promise<number>): Contender {
  return async () => {
    const before = process.cpuUsage();
    const units = await work();
    const { user, system } = process.cpuUsage(before);
    return { units, cpuSeconds: (user + system) / 1e6 };
  };
}

/** Throws where `found` is not `expected`: a bench checks its answer before its time. */
export function expectSame(what: string, found: unknown, expected: unknown): void {
  const [left, right] = [JSON.stringify(found), JSON.stringify(expected)];
  if (left === right) return;
  throw new Error(`${what}: got ${left?.slice(0, 400)}, expected ${right?.slice(0, 400)}`);
}
