/**
 * Fields that requests of other routers, or of this one's full contract, may hold and that are not
 * supported: refused by name, since to ignore a preference in silence would be to break it.
 * Those without a keyword are refused wherever they stand; the others only with another value.
 */
const UNSUPPORTED: ReadonlyMap<string, string | null> = new Map([
  ['provider.require_parameters', null],
  ['provider.data_collection', null],
  ['provider.zdr', null],
  ['provider.quantizations', null],
  ['provider.enforce_distillable_text', null],
  ['provider.max_price.request', null],
  ['provider.max_price.image', null],
]);

/** Whether the schema refused the field because it is not supported. */
export function isUnsupported(field: string, keyword: string): boolean {
  const expected = UNSUPPORTED.get(field);
  return expected !== undefined && keyword === (expected ?? 'additionalProperties');
}
