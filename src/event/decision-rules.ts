import {
  type Check,
  HASH,
  INT_FROM_0,
  LONG_FROM_0,
  listOf,
  OFFERING,
  type Rule,
  rule,
  TIME_MS,
  text,
  texts,
} from './checks.js';
import type { Decision } from './outcome.js';

/** Probability mass of a whole slate: masses are integers, so that they sum to it exactly. */
const MASS_TOTAL = 2 ** 20;
/** Bounds of one answer: the largest catalogue slice, the topics and partitions of a vector. */
const OFFERINGS_MAX = 10_000;
/** Topics of a state's vector: those of one installation are eight. */
const TOPICS_MAX = 64;
/** Partitions of a topic in a vector: as many as the setting allows. */
const PARTITIONS_MAX = 512;
/** A longer request is kept as its hash. */
const REQUEST_BYTES_MAX = 2048;

const ELIGIBLE: Check = {
  rule: `at most ${OFFERINGS_MAX} offerings with integer masses of 0..2^20 that sum to 2^20, or none`,
  holds: (value) => {
    const eligible = value as Decision['eligible'];
    const sum = eligible.reduce((total, { mass }) => total + mass, 0);
    return (
      eligible.length <= OFFERINGS_MAX &&
      eligible.every(({ offering, mass }) => OFFERING.holds(offering) && INT_FROM_0.holds(mass)) &&
      (eligible.length === 0 || sum === MASS_TOTAL)
    );
  },
};

const REASON = text(1, 128);
const EXCLUDED: Check = {
  rule: `at most ${OFFERINGS_MAX} offerings with reasons of ${REASON.rule}`,
  holds: (value) => {
    const excluded = value as Decision['excluded'];
    return (
      excluded.length <= OFFERINGS_MAX &&
      excluded.every(({ offering, reason }) => OFFERING.holds(offering) && REASON.holds(reason))
    );
  },
};

const OFFSETS = listOf(PARTITIONS_MAX, LONG_FROM_0);
const TOPIC = text(1, 249);
const VECTOR: Check = {
  rule: `at most ${TOPICS_MAX} topics with ${OFFSETS.rule}`,
  holds: (value) => {
    const topics = Object.entries(value as Decision['state']['vector']);
    return (
      topics.length <= TOPICS_MAX &&
      topics.every(([topic, offsets]) => TOPIC.holds(topic) && OFFSETS.holds(offsets))
    );
  },
};

const REQUEST: Check = {
  rule: `text of at most ${REQUEST_BYTES_MAX} bytes of UTF-8 without NUL, lone surrogates and U+FFFD`,
  holds: (value) =>
    text(0, REQUEST_BYTES_MAX).holds(value) &&
    Buffer.byteLength(value as string) <= REQUEST_BYTES_MAX,
};

export const DECISION: readonly Rule<Decision>[] = [
  rule('decided_at', TIME_MS, (it) => it.decided_at),
  rule('as_of', TIME_MS, (it) => it.as_of),
  rule('tenant', text(0, 128), (it) => it.tenant),
  rule('policy', text(0, 128), (it) => it.policy),
  rule('policy_hash', HASH, (it) => it.policy_hash),
  rule('strategy', text(1, 64), (it) => it.strategy),
  rule('algorithm', text(0, 64), (it) => it.algorithm),
  rule('state.generation', text(0, 128), (it) => it.state.generation),
  rule('state.version', LONG_FROM_0, (it) => it.state.version),
  rule('state.vector', VECTOR, (it) => it.state.vector),
  rule('request', REQUEST, (it) => it.request),
  rule('unit_hash', text(0, 128), (it) => it.unit_hash),
  rule('eligible', ELIGIBLE, (it) => it.eligible),
  rule('excluded', EXCLUDED, (it) => it.excluded),
  rule('slate', listOf(OFFERINGS_MAX, OFFERING), (it) => it.slate),
  rule('degraded', texts(16, 64), (it) => it.degraded),
];
