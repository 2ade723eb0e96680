import { AiRouterError } from '../errors.js';
import { type Policy, type PolicyRules, rulesFor } from './policy.js';
import type { Snapshot } from './snapshot.js';

/** A policy with what it says of the tenant that asks. */
export interface PolicyInForce {
  policy: Policy;
  rules: PolicyRules;
}

/** Tenants that have no default of their own. */
const ALL_TENANTS = '*';

/**
 * The policy that a request names, else its tenant's default, else the default of all, else none.
 * Throws `invalid_request` where it names one that is not there.
 */
export function policyInForce(
  { state, policies }: Pick<Snapshot, 'state' | 'policies'>,
  tenant: string,
  name: string | undefined,
): PolicyInForce | null {
  // Before the first reading nobody knows which policies there are: the answer says `no_cache`.
  if (state === null) return null;
  if (name === undefined && policies.size === 0) return null;
  const policy =
    name === undefined
      ? (defaultsOf(policies).get(tenant) ?? defaultsOf(policies).get(ALL_TENANTS))
      : policies.get(name);
  if (policy !== undefined) return { policy, rules: rulesFor(policy, tenant) };
  if (name === undefined) return null;
  const rule = 'the name of a policy';
  throw new AiRouterError('invalid_request', `policy must be ${rule}`, { field: 'policy', rule });
}

const defaults = new WeakMap<ReadonlyMap<string, Policy>, ReadonlyMap<string, Policy>>();

/** By tenant. Where two policies claim the same one, the first by name has it. */
function defaultsOf(policies: ReadonlyMap<string, Policy>): ReadonlyMap<string, Policy> {
  let byTenant = defaults.get(policies);
  if (byTenant === undefined) {
    byTenant = new Map(
      [...policies.values()]
        .sort((a, b) => (a.name < b.name ? 1 : -1))
        .flatMap((policy) =>
          (policy.document.default_for ?? []).map((tenant): [string, Policy] => [tenant, policy]),
        ),
    );
    defaults.set(policies, byTenant);
  }
  return byTenant;
}
