/** Parts of the JSON schemas of requests and answers. */

export const string = { type: 'string' };
export const boolean = { type: 'boolean' };
export const integer = { type: 'integer' };
export const number = { type: 'number' };
export const integerOrNull = { type: ['integer', 'null'] };
export const numberOrNull = { type: ['number', 'null'] };
export const strings = { type: 'array', items: string };
export const stringsOrNull = { type: ['array', 'null'], items: string };

/** Every property is there, but for those named in `optional`. */
export function object(properties: Record<string, unknown>, optional: readonly string[] = []) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', required, properties };
}

export const orNull = <T extends { type: string }>(schema: T) => ({
  ...schema,
  type: [schema.type, 'null'],
});

export const array = (items: object) => ({ type: 'array', items });

export const list = (item: object) => object({ object: string, data: array(item) });

/** Named values by key. */
export const record = (values: object) => ({ type: 'object', additionalProperties: values });

export const oneOf = (values: readonly (string | null)[]) => ({
  type: values.includes(null) ? ['string', 'null'] : 'string',
  enum: values,
});

/** Nothing but these may be given, and none has to be. */
export const closed = (properties: Record<string, unknown>) => ({
  type: 'object',
  additionalProperties: false,
  properties,
});

const textLike = (pattern: string) => ({ type: 'string', pattern });

/** Counts in a query: parameters are text, and nothing is coerced. */
export const countTo100 = textLike('^([1-9][0-9]?|100)$');
export const countTo1000 = textLike('^([1-9][0-9]{0,2}|1000)$');
export const name = textLike('^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$');
export const uuid = textLike('^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$');

/** What each pattern lets through, in words after "must be". */
export const PATTERN_RULES: ReadonlyMap<string, string> = new Map([
  [countTo100.pattern, 'an integer of 1..100'],
  [countTo1000.pattern, 'an integer of 1..1000'],
  [name.pattern, '1..128 letters, digits, ".", "_" or "-", a letter or digit first'],
  [uuid.pattern, 'the text of a UUID'],
]);
