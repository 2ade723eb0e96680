import {
  array,
  boolean,
  integer,
  integerOrNull,
  number,
  numberOrNull,
  object,
  oneOf,
  string,
} from './json-schema.js';
import { EXCLUSIONS } from './reasons.js';

/** State of a breaker in an answer. */
const breakerAnswer = object({
  state: oneOf(['closed', 'half_open', 'open']),
  share: { ...number, description: 'Greatest share of the decisions, 0..1.' },
  reason: { type: ['string', 'null'] },
});

const known = {
  samples: {
    ...number,
    description: 'Outcomes, weighted by age; 0 = of model and provider alone.',
  },
  window_ms: {
    ...integer,
    description: 'How far back outcomes count: to a change, if one was seen.',
  },
  changed: boolean,
  alternative: {
    ...object({
      probability: number,
      success_ratio: number,
      time_ratio: { ...number, description: 'Times as long as what is expected.' },
    }),
    type: ['object', 'null'],
    description: 'After a change: what may be instead; null = nothing.',
  },
  age_ms: { ...integerOrNull, description: 'Since the newest outcome; null = there is none.' },
  breaker: breakerAnswer,
};

const term = object({
  name: string,
  value: { ...numberOrNull, description: 'Null = unknown.' },
  unit: oneOf([
    'nano_usd',
    'ms',
    'us',
    'ratio',
    'tokens_per_second',
    'attempts',
    'weight',
    'number',
  ]),
});

/** `explain` of an answer. */
export const explanation = {
  ...object({
    strategy: string,
    algorithm: string,
    variants: array(object({ name: string, mass: integer })),
    candidates: array(
      object({
        offering: string,
        tier: { ...integer, description: 'A later one is reached when the earlier are used up.' },
        order: oneOf(['drawn', 'fixed']),
        mass: { ...integer, description: 'Of 2^20 decisions those that are sent here first.' },
        later_mass: { ...integer, description: 'The same among the ranks after the first.' },
        score: { ...numberOrNull, description: 'Less is better; null = nothing is compared.' },
        terms: { ...array(term), description: 'What the score is made of.' },
        size_time_ratio: {
          ...number,
          description:
            'How much longer than the reference says an answer of this size takes here, beside one of the usual size: above 1 for short answers of one that is slow to begin.',
        },
        ...known,
      }),
    ),
    excluded: array(
      object({
        offering: string,
        reason: oneOf(Object.keys(EXCLUSIONS)),
        meaning: string,
        ...known,
      }),
    ),
  }),
  description: 'The numbers that the decision compared, for everybody that it could have named.',
};
