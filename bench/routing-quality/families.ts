import { diceOf } from './chance.js';
import {
  arrivalsOf,
  best,
  type Draft,
  happen,
  hashOf,
  MINUTE,
  offeringOf,
  other,
  passing,
  resized,
  scale,
  TYPICAL,
} from './draft.js';
import { plainMs, type World, type WorldOffering } from './world.js';

/**
 * Families of worlds. All parameters are drawn from the seed, so no policy can be fitted to one
 * world; arrivals and sizes are pieces of the real conversation trace, all else is SYNTHETIC.
 */
export interface Family {
  name: string;
  /** What happens in it, in a sentence. */
  about: string;
  /** Kept out of every tuning. */
  isHeldOut: boolean;
  shape(draft: Draft): void;
}

export const WARM_UP_MS = 120_000;

export const FAMILIES: readonly Family[] = [
  family('calm', 'nothing happens', () => {}),
  family('spike', 'an offering fails, and slows down, for one to four minutes', (draft) => {
    const change = {
      failureRatio: draft.dice.between(0.4, 0.95),
      slowdown: draft.dice.around(1, 4),
    };
    happen(draft, [best(draft)], { ...change, ...passing(draft.dice) });
  }),
  family('ramp', 'an offering gets worse over minutes, and is well again at once', (draft) => {
    const { dice } = draft;
    const fromMs = dice.between(3, 4) * MINUTE;
    const fullMs = fromMs + dice.between(1.5, 4) * MINUTE;
    const toMs = fullMs + dice.between(0.5, 2) * MINUTE;
    const slower = { slowdown: dice.around(2, 8) };
    const failing = { failureRatio: dice.between(0.3, 0.8) };
    happen(draft, [best(draft)], { fromMs, fullMs, toMs, ...(dice.is(0.5) ? slower : failing) });
  }),
  family('step', 'an offering becomes slower, or another one faster, for good', (draft) => {
    const { dice } = draft;
    const fromMs = dice.between(3, 6) * MINUTE;
    const toMs = Number.POSITIVE_INFINITY;
    if (dice.is(0.5)) happen(draft, [best(draft)], { fromMs, toMs, slowdown: dice.around(1.5, 5) });
    else happen(draft, [other(draft)], { fromMs, toMs, slowdown: dice.around(0.2, 0.6) });
  }),
  family('flap', 'an offering is ill and well by turns', (draft) => {
    const { dice } = draft;
    const fromMs = dice.between(3, 4) * MINUTE;
    const periodMs = dice.around(10_000, 90_000);
    const change = { failureRatio: dice.between(0.4, 1), slowdown: dice.around(1, 3) };
    happen(draft, [best(draft)], { fromMs, toMs: fromMs + 6 * MINUTE, periodMs, ...change });
    draft.event = null;
  }),
  family(
    'rate_limit',
    'the best offering takes a part of the requests, and refuses the rest',
    (draft) => {
      const { dice, ratePerSecond } = draft;
      const perSecond = ratePerSecond * dice.between(0.2, 0.7);
      const retryAfterMs = dice.is(0.7) ? dice.whole(1, 10) * 1000 : null;
      const capacity = {
        perSecond,
        burst: Math.max(2, perSecond * dice.between(2, 20)),
        retryAfterMs,
      };
      draft.offerings[best(draft)]!.capacity = capacity;
    },
  ),
  family('load', 'each attempt in flight makes the others longer', (draft) => {
    const { dice, ratePerSecond } = draft;
    for (const it of draft.offerings) {
      const inFlight = (ratePerSecond * plainMs(it, TYPICAL)) / 1000;
      it.loadSlope = dice.around(0.2, 1.5) / inFlight;
    }
  }),
  family('newcomer', 'an offering comes new, good or bad', (draft) => {
    const { dice, offerings } = draft;
    const newcomer = offeringOf(dice, offerings.length);
    newcomer.fromMs = dice.between(3, 6) * MINUTE;
    if (dice.is(0.3)) newcomer.failureRatio = dice.between(0.2, 0.9);
    offerings.push(newcomer);
  }),
  family(
    'tradeoff',
    'cheap and slow against dear and fast, and the mix of sizes shifts',
    (draft) => {
      const { dice, offerings } = draft;
      offerings.forEach((it, index) => {
        const [speed, price] = index % 2 === 0 ? [dice.around(1.2, 2.5), 0.4] : [0.6, 2];
        scale(it, speed);
        it.prices = it.prices.map((own) => ({
          ...own,
          input: own.input * price,
          output: own.output * price,
        }));
      });
      const fromMs = dice.between(3, 6) * MINUTE;
      const [input, output] = [dice.around(0.2, 4), dice.around(0.2, 4)];
      draft.arrivals = draft.arrivals.map((it) =>
        it.atMs < fromMs ? it : resized(it, input, output),
      );
    },
  ),
  family('hang', 'most calls of an offering never answer, for one to four minutes', (draft) => {
    const change = { hangRatio: draft.dice.between(0.5, 1), ...passing(draft.dice) };
    happen(draft, [best(draft)], change);
  }),
  heldOut(
    'correlated',
    'all offerings but one or two fail at once, for one to four minutes',
    (draft) => {
      const { dice, offerings } = draft;
      const spared = dice.whole(1, Math.min(2, offerings.length - 2));
      const first = best(draft);
      const others = offerings.map((_, index) => index).filter((index) => index !== first);
      const affected = [first, ...others.slice(spared)];
      const change = { failureRatio: dice.between(0.4, 0.95), slowdown: dice.around(1, 4) };
      happen(draft, affected, { ...change, ...passing(dice) });
    },
  ),
  heldOut('price_change', 'the price of an offering rises or falls', (draft) => {
    const { dice } = draft;
    const fromMs = dice.between(3, 6) * MINUTE;
    const [index, factor] = dice.is(0.5)
      ? [best(draft), dice.around(2, 8)]
      : [other(draft), dice.around(0.1, 0.5)];
    const it = draft.offerings[index]!;
    const [{ input, output }] = it.prices as [WorldOffering['prices'][number]];
    it.prices = [...it.prices, { fromMs, input: input * factor, output: output * factor }];
  }),
];

/** `minutes` beside the warm-up. The same world for the same numbers. */
export function worldOf(family: Family, seed: number, minutes = 10): World {
  const dice = diceOf(seed, hashOf(family.name));
  const count = dice.whole(3, 6);
  const offerings = Array.from({ length: count }, (_, index) => offeringOf(dice, index));
  const ratePerSecond = dice.around(1.5, 6);
  const endMs = WARM_UP_MS + minutes * MINUTE;
  const arrivals = arrivalsOf(dice, ratePerSecond, endMs);
  const draft: Draft = { dice, offerings, arrivals, endMs, ratePerSecond, event: null };
  family.shape(draft);
  const { event } = draft;
  return {
    family: family.name,
    seed: (seed ^ hashOf(family.name)) | 0,
    offerings,
    arrivals: draft.arrivals,
    warmUpMs: WARM_UP_MS,
    endMs,
    event,
  };
}

function family(name: string, about: string, shape: Family['shape']): Family {
  return { name, about, isHeldOut: false, shape };
}

function heldOut(name: string, about: string, shape: Family['shape']): Family {
  return { name, about, isHeldOut: true, shape };
}
