import { closed, name } from './json-schema.js';
import { LATENCY, MODELS, PROVIDER, REQUIRE } from './preference-schema.js';
import { STRATEGIES } from './strategies/registry.js';

/** A provider, or one offering by its key text. */
const TARGET = { type: 'string', minLength: 1, maxLength: 2048 };
const TARGETS = { type: 'array', minItems: 1, maxItems: 256, uniqueItems: true, items: TARGET };
const TENANT = { type: 'string', minLength: 1, maxLength: 256 };
const PERCENT = { type: 'number', minimum: 0, maximum: 100 };
/** Thirty days. */
const SECONDS_MAX = 2_592_000;

/** What a policy, a tenant's part of it and a variant may say alike. */
const RULES = {
  strategy: {
    type: 'string',
    enum: [...STRATEGIES.keys()],
    description: 'Of `GET /v1/strategies`. Where it is absent, the request decides.',
  },
  models: { ...MODELS, description: 'In order of preference, in place of those of the request.' },
  provider: {
    ...PROVIDER,
    description:
      "As in a request. Limits (`only`, `ignore`, `max_price`) hold beside the request's own; of the others this one counts.",
  },
  require: { ...REQUIRE, description: 'As in a request, beside its own.' },
  targets: { ...TARGETS, description: 'Providers or offerings: no others.' },
  except: { ...TARGETS, description: 'Providers or offerings: not these.' },
  weights: {
    type: 'object',
    minProperties: 1,
    maxProperties: 1024,
    propertyNames: TARGET,
    additionalProperties: { type: 'number', minimum: 0, maximum: 1_000_000 },
    description:
      "By provider or offering, in place of the catalogue's; 0 drains. The one that names the offering counts.",
  },
  tiers: {
    type: 'array',
    minItems: 1,
    maxItems: 32,
    items: TARGETS,
    description:
      'Those of the first tier, then those of the next one once it is used up; who is named nowhere comes last. In place of the priorities of the catalogue.',
  },
  latency: { ...LATENCY, description: 'As in a request, in place of its own.' },
};

const SPLIT = {
  ...closed({
    unit: {
      type: 'string',
      enum: ['decision', 'sticky', 'time_block'],
      default: 'decision',
      description: 'What falls into one variant: a decision, a sticky key, a block of time.',
    },
    ttl_s: {
      type: 'integer',
      minimum: 1,
      maximum: SECONDS_MAX,
      default: 3600,
      description: 'How long a sticky key stays where it is.',
    },
    block_s: {
      type: 'integer',
      minimum: 1,
      maximum: SECONDS_MAX,
      default: 600,
      description: 'Length of a block of time.',
    },
    variants: {
      type: 'array',
      minItems: 1,
      maxItems: 32,
      items: {
        ...closed({ name, percent: PERCENT, ...RULES }),
        required: ['name', 'percent'],
      },
      description: 'Shares by percentage; 0 drains. They are scaled to 100.',
    },
  }),
  description: 'Who is decided by which variant.',
};

const CANARY = {
  ...closed({ targets: TARGETS, percent: PERCENT }),
  required: ['targets', 'percent'],
  description:
    'Short for two variants: `canary`, with these targets alone, gets the percentage, and `stable` the rest without them.',
};

/** A policy, as `airouter policy apply` takes it and as it stands in the log. */
export const policySchema = {
  ...closed({
    name: { ...name, description: 'What requests call it by.' },
    description: { type: 'string', maxLength: 1024 },
    default_for: {
      type: 'array',
      maxItems: 256,
      uniqueItems: true,
      items: TENANT,
      description: 'Tenants whose requests it decides where they name none; `*` = all others.',
    },
    salt: {
      type: 'string',
      maxLength: 128,
      description:
        'Of sticky keys and blocks of time: who shares it falls alike. By default the name.',
    },
    ...RULES,
    split: SPLIT,
    canary: CANARY,
    tenants: {
      type: 'object',
      maxProperties: 1024,
      propertyNames: TENANT,
      additionalProperties: closed({ ...RULES, split: SPLIT, canary: CANARY }),
      description: 'By tenant: fields in place of those above.',
    },
  }),
  required: ['name'],
};
