import { PATTERN_RULES } from './json-schema.js';

/** What a JSON schema was broken by, as Ajv tells it. */
export interface Violation {
  keyword: string;
  instancePath: string;
  params: Record<string, unknown>;
  message?: string;
}

/** What is at fault and what was asked of it, in words after "must be". */
export interface Breach {
  /** A path with dots. */
  field: string;
  rule: string;
  keyword: string;
}

/**
 * The breach that a caller can mend, of those that one check told; `whole` names the field where it
 * is all of the value.
 */
export function breachOf(violations: readonly Violation[], whole: string): Breach {
  const last = violations.at(-1)!;
  return last.keyword === 'oneOf'
    ? breachOfChoice(violations.slice(0, -1), last, whole)
    : breach(violations[0]!, whole);
}

/** Each branch of a choice tells why it is not the one: only that of the branch that was meant helps. */
function breachOfChoice(branches: readonly Violation[], choice: Violation, whole: string): Breach {
  const isHere = ({ instancePath }: Violation) => instancePath === choice.instancePath;
  const isOf = (keyword: string) => (it: Violation) => it.keyword === keyword && isHere(it);
  if (branches.every(isOf('required'))) {
    const rule = 'an object with exactly one of model, models and model_set';
    return { ...breach(choice, whole), rule };
  }
  const meant = branches.find((it) => !isOf('type')(it));
  if (meant !== undefined) return breach(meant, whole);
  const rule = branches.map(ruleOf).join(' or ');
  return { ...breach(choice, whole), rule };
}

function breach(violation: Violation, whole: string): Breach {
  const { keyword, instancePath, params } = violation;
  const added = params['additionalProperty'] ?? params['missingProperty'];
  const path = instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (typeof added === 'string') path.push(added);
  const field = path.length === 0 ? whole : path.join('.');
  return { field, rule: ruleOf(violation), keyword };
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  boolean: 'true or false',
  integer: 'an integer',
  number: 'a number',
  object: 'an object',
  array: 'an array',
};

function ruleOf({ keyword, params, message }: Violation): string {
  const limit = Number(params['limit']);
  switch (keyword) {
    case 'additionalProperties':
      return 'absent: no such field is known';
    case 'required':
      return 'given';
    case 'enum':
      return `one of ${(params['allowedValues'] as unknown[]).join(', ')}`;
    case 'type':
      return [params['type']]
        .flat()
        .map((type) => TYPES[String(type)] ?? String(type))
        .join(' or ');
    case 'minLength':
      return `of at least ${counted(limit, 'character')}`;
    case 'maxLength':
      return `of at most ${counted(limit, 'character')}`;
    case 'minItems':
      return `an array of at least ${counted(limit, 'item')}`;
    case 'maxItems':
      return `an array of at most ${counted(limit, 'item')}`;
    case 'uniqueItems':
      return 'an array without repeats';
    case 'minProperties':
      return `an object with at least ${counted(limit, 'field')}`;
    case 'pattern':
      return PATTERN_RULES.get(String(params['pattern'])) ?? `of the form ${params['pattern']}`;
    default:
      return (message ?? keyword).replace(/^must (be )?/, '');
  }
}

const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`;
