import { hash } from 'node:crypto';
import type { PoliciesValue } from '../hotkeys/values.js';
import { makePolicy, type Policy } from './policy.js';

/**
 * The policies of a value. One that is cut off, changed on its way or breaks a rule of this version
 * is named in `broken`; its last good version stands, where there is one.
 */
export function readPolicies(
  value: PoliciesValue,
  before: ReadonlyMap<string, Policy>,
): { policies: ReadonlyMap<string, Policy>; broken: string[] } {
  const policies = new Map<string, Policy>();
  const broken: string[] = [];
  for (const [name, entry] of Object.entries(value)) {
    const known = before.get(name);
    try {
      policies.set(name, known?.hash === entry.hash ? known : readPolicy(name, entry));
    } catch (error) {
      broken.push(`policy ${name}: ${error instanceof Error ? error.message : String(error)}`);
      if (known !== undefined) policies.set(name, known);
    }
  }
  return { policies, broken };
}

function readPolicy(name: string, entry: PoliciesValue[string]): Policy {
  if (hash('sha256', entry.document, 'hex') !== entry.hash) {
    throw new Error('the document does not have its hash');
  }
  const policy = makePolicy(JSON.parse(entry.document));
  if (policy.name !== name) throw new Error(`it names itself ${policy.name}`);
  return policy;
}
