import type { ConditionalPrice, ModelInfo, ModelPrice } from '@pydantic/genai-prices';
import { AiRouterError } from '../errors.js';
import { INPUT_CLASS_LIMITS } from '../event/input-class.js';
import type { PriceTier } from '../event/outcome.js';
import { scaledInteger } from './decimal.js';
import type { DatedPrice } from './price-of.js';

/**
 * Prices of `@pydantic/genai-prices` as dated tiers in nano-USD per million tokens. What cannot
 * be carried over exactly is refused with its name, never approximated: `price_boundary` for a
 * tier at another input size than the five classes, `rule_broken` for the rest.
 */

type PriceColumn = Exclude<keyof PriceTier, 'above_input_tokens'>;

/** The source's price keys: our column, and digits from its unit (USD) to nano-USD of ours. */
const COLUMNS = new Map<string, { column: PriceColumn; digits: number }>([
  ['input_mtok', { column: 'input', digits: 9 }],
  ['cache_read_mtok', { column: 'cached_input', digits: 9 }],
  ['cache_write_mtok', { column: 'cache_write', digits: 9 }],
  ['output_mtok', { column: 'output', digits: 9 }],
  // USD per thousand requests
  ['requests_kcount', { column: 'request', digits: 6 }],
]);

/**
 * Prices of what an outcome does not count: other media than text, hour-long cache entries and
 * searches that the provider runs. They are left out; the cost of a request that uses them is too
 * low by them unless its emitter states the cost.
 */
const UNCOUNTED =
  /^(cache_write_1h_mtok|(web|storage)_searches_kcount|(input|output|cache)_(audio|image|video)_(read_)?mtok)$/;

/**
 * The dated prices of a model, ascending. `isEmbedding`: the model has no output, so that an
 * absent output price is 0 and not unknown.
 */
export function pricesOf(model: ModelInfo, isEmbedding: boolean): DatedPrice[] {
  const conditional: ConditionalPrice[] = Array.isArray(model.prices)
    ? model.prices
    : [{ prices: model.prices as ModelPrice }];
  const dated = conditional.map(({ constraint, prices }, index) => ({
    valid_from: validFrom(constraint, index),
    tiers: tiersOf(prices, isEmbedding),
  }));
  dated.forEach((price, index) => {
    // The source takes the last one that has begun: only in order are both readings one.
    if (index > 0 && price.valid_from <= dated[index - 1]!.valid_from) {
      throw refused('start_date', 'later than the start of the price before it');
    }
  });
  return dated;
}

/** A price without a start holds since ever. */
function validFrom(constraint: ConditionalPrice['constraint'], index: number): number {
  if (constraint === undefined) {
    if (index > 0) throw refused('start_date', 'given for every price but the first');
    return 0;
  }
  const validFromMs =
    constraint.type === 'start_date' ? Date.parse(`${constraint.start_date}T00:00:00Z`) : NaN;
  if (!(validFromMs >= 0)) {
    throw refused('constraint', `a start date, not ${JSON.stringify(constraint)}`);
  }
  return validFromMs;
}

function tiersOf(prices: ModelPrice, isEmbedding: boolean): PriceTier[] {
  const columns = new Map<PriceColumn, Map<number, number>>();
  for (const [key, price] of Object.entries(prices)) {
    const known = COLUMNS.get(key);
    if (price === undefined || (known === undefined && UNCOUNTED.test(key))) continue;
    if (known === undefined) throw refused(key, `one of ${[...COLUMNS.keys()].join(', ')}`);
    columns.set(known.column, stepsOf(key, price, known.digits));
  }
  // The source writes `{}` both for free models and for those without a price.
  if (!columns.has('input')) throw refused('input_mtok', 'given: a price without it is unknown');
  if (isEmbedding && !columns.has('output')) columns.set('output', new Map([[0, 0]]));
  const boundaries = new Set([...columns.values()].flatMap((steps) => [...steps.keys()]));
  return [...boundaries]
    .sort((a, b) => a - b)
    .map((above) => ({
      above_input_tokens: above,
      input: priceAbove(columns.get('input'), above),
      cached_input: priceAbove(columns.get('cached_input'), above),
      cache_write: priceAbove(columns.get('cache_write'), above),
      output: priceAbove(columns.get('output'), above),
      request: priceAbove(columns.get('request'), above),
    }));
}

/** Price by the input size above which it holds. */
function stepsOf(
  key: string,
  price: NonNullable<ModelPrice[string]>,
  digits: number,
): Map<number, number> {
  if (typeof price === 'number') return new Map([[0, scaledInteger(price, digits, key)]]);
  const steps = new Map([[0, scaledInteger(price.base, digits, key)]]);
  for (const tier of price.tiers) {
    steps.set(boundaryOf(tier.start, key), scaledInteger(tier.price, digits, key));
  }
  return steps;
}

/**
 * The source's tier holds above `start` tokens, as ours does. It writes 271,999 where a provider
 * says "from 272,000 on"; classes are "up to 272,000", so that one size, exactly at the boundary,
 * is priced as the class below it.
 */
function boundaryOf(start: number, key: string): number {
  const limit = INPUT_CLASS_LIMITS.find(
    (candidate) => start === candidate || start === candidate - 1,
  );
  if (limit === undefined) {
    const rule = `a tier above one of ${INPUT_CLASS_LIMITS.join(', ')} input tokens`;
    throw new AiRouterError('price_boundary', `${key} must be ${rule}, got ${start}`, {
      field: key,
      rule,
    });
  }
  return limit;
}

function priceAbove(steps: Map<number, number> | undefined, above: number): number | null {
  if (steps === undefined) return null;
  return [...steps].reduce(
    (best, [from, price]) => (from <= above && from >= best.from ? { from, price } : best),
    { from: 0, price: steps.get(0)! },
  ).price;
}

function refused(field: string, rule: string): AiRouterError {
  return new AiRouterError('rule_broken', `${field} must be ${rule}`, { field, rule });
}
