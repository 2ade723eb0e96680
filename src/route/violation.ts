/** What a JSON schema was broken by, as Ajv tells it. */
export interface Violation {
  keyword: string;
  instancePath: string;
  params: Record<string, unknown>;
  message?: string;
}

/** The field at fault, a path with dots (`whole` = all of it), and the rule, in words after "must be". */
export function violationOf(violation: Violation, whole: string): { field: string; rule: string } {
  const { keyword, instancePath, params, message } = violation;
  const added = params['additionalProperty'] ?? params['missingProperty'];
  const path = instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (typeof added === 'string') path.push(added);
  const field = path.length === 0 ? whole : path.join('.');
  return { field, rule: ruleOf(keyword, params, message ?? keyword) };
}

function ruleOf(keyword: string, params: Record<string, unknown>, message: string): string {
  switch (keyword) {
    case 'additionalProperties':
      return 'absent: no such field is known';
    case 'required':
      return 'given';
    case 'enum':
      return `one of ${(params['allowedValues'] as unknown[]).join(', ')}`;
    default:
      return message.replace(/^must (be |NOT )?/, (_, word) => (word === 'NOT ' ? 'not ' : ''));
  }
}
