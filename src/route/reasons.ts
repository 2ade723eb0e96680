/**
 * Why an offering is not in the answer. Codes are stable: they stand in answers and in the
 * decision log.
 */
export const EXCLUSIONS = {
  model_disabled: 'The model is disabled in the catalogue.',
  provider_disabled: 'The provider is disabled in the catalogue.',
  offering_disabled: 'The offering is disabled in the catalogue.',
  draining: 'The weight of the offering is 0, in the catalogue or in the policy.',
  tried: 'The request names it as tried already.',
  provider_not_allowed: '`provider.only` of the request or its policy does not name its provider.',
  provider_ignored: '`provider.ignore` of the request or its policy names its provider.',
  provider_not_in_order:
    '`provider.order` does not name its provider, and the request allows no other one.',
  not_a_target: 'The policy does not allow it: `targets` does not name it, or `except` does.',
  region: '`require.regions` does not name its region.',
  capability: 'It is not known to have a required capability.',
  context_length: 'Its context is shorter than required.',
  context_length_unknown: 'The length of its context is not known, but one is required.',
  max_price: 'Its price is above `provider.max_price`.',
  price_unknown: 'Its price is not known, but `provider.max_price` sets a limit.',
  open_failures: 'Its breaker is open: its failures outnumber its successes by far.',
  open_unauthorized: 'Its breaker is open: the credentials of its deployment were refused.',
  open_retry_after: 'Its breaker is open: the provider asked to be left alone for a while.',
  open_overdue:
    'Its breaker is open: more of its calls are overdue than succeeded since they began.',
} as const;

export type ExclusionReason = keyof typeof EXCLUSIONS;

/** What is to be known of a candidate. */
export const REMARKS = {
  no_data: 'Nothing was measured here: its figures are those of its model and provider.',
  price_unknown: 'Its price is not known: it stands behind those whose price is.',
  changed: 'Its figures rest on what followed a change that was seen in the last half hour.',
  below_preference:
    'It misses `provider.preferred_max_latency` or `preferred_min_throughput`: it stands behind those that meet them.',
  half_open: 'It is on probation after failures, with a limited share.',
  fail_open: 'Its breaker is open, but so are those of all others.',
  explored: 'It is not the best by its score: chosen to keep knowing the others.',
} as const;

export type Remark = keyof typeof REMARKS;

/** What makes an answer weaker than it could be. */
export const DEGRADATIONS = {
  stale: 'The state is older than AIROUTER_STALE_AFTER_MS.',
  all_open: 'The breakers of all offerings that fit are open; they are taken as closed.',
  no_metrics: 'Nothing was measured at any offering that fits.',
  no_cache: 'No hot keys have been read yet: the order is that of the catalogue file.',
} as const;

export type Degradation = keyof typeof DEGRADATIONS;
