import type { Bench, Contender, Contest, Size } from './contest.js';

/** One line of output. Rates are medians over the rounds, ratios medians of the rounds' own ratios. */
export interface Result {
  name: string;
  ours: number;
  floor: number;
  peer: number | null;
  ratio_floor: number;
  ratio_peer: number | null;
  unit: string;
  better: 'more';
  checked: true;
  /** Half of what lies between the quartiles of the ratios, as a share of their median. */
  noise_floor: number;
  noise_peer: number | null;
  rounds: number;
  answer: string;
  floor_is: string;
  peer_is: string;
}

const ROUNDS = { full: 15, smoke: 1 };
const WARM_UP_ROUNDS = { full: 3, smoke: 0 };

export async function measure(bench: Bench, size: Size): Promise<Result> {
  const contest = await bench.open(size);
  try {
    const { ours, floor, peer } = await ratesOf(contest, size);
    const toFloor = ours.map((rate, round) => rate / floor[round]!);
    const toPeer = peer === null ? null : ours.map((rate, round) => rate / peer[round]!);
    return {
      name: bench.name,
      ours: rounded(median(ours)),
      floor: rounded(median(floor)),
      peer: peer && rounded(median(peer)),
      ratio_floor: rounded(median(toFloor)),
      ratio_peer: toPeer && rounded(median(toPeer)),
      unit: bench.unit,
      better: 'more',
      checked: true,
      noise_floor: rounded(spread(toFloor)),
      noise_peer: toPeer && rounded(spread(toPeer)),
      rounds: ours.length,
      answer: contest.answer,
      floor_is: bench.floorIs,
      peer_is: bench.peerIs,
    };
  } finally {
    await contest.close();
  }
}

/**
 * A round of each after the other, in turns forwards and backwards: what slows the machine down
 * for a while slows all of them, and a ratio within a round hardly sees it.
 */
async function ratesOf(
  { ours, floor, peer }: Contest,
  size: Size,
): Promise<{ ours: number[]; floor: number[]; peer: number[] | null }> {
  const rates = { ours: [] as number[], floor: [] as number[], peer: [] as number[] };
  const turns: [keyof typeof rates, Contender][] = [
    ['ours', ours],
    ['floor', floor],
  ];
  if (peer !== null) turns.push(['peer', peer]);
  for (let round = -WARM_UP_ROUNDS[size]; round < ROUNDS[size]; round++) {
    for (const [name, contender] of round % 2 === 0 ? turns : turns.toReversed()) {
      const { units, cpuSeconds } = await contender();
      if (round >= 0) rates[name].push(units / cpuSeconds);
    }
  }
  return { ...rates, peer: peer === null ? null : rates.peer };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function spread(values: readonly number[]): number {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / median(values);
}

/** Linear between the two nearest ranks. */
function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)]!;
  return low + (sorted[Math.ceil(at)]! - low) * (at - Math.floor(at));
}

/** Three significant digits: more would be noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
