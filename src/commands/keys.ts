import { type AccessKey, mintKey, stateOf } from '../access/access-key.js';
import { changeKeysFile, readKeysFile } from '../access/keys-file.js';
import { isTenant, REQUESTS_PER_SECOND_MAX } from '../access/keys-text.js';
import { isScope, SCOPES, type Scope } from '../access/scope.js';
import { wallClock } from '../clock.js';
import { AiRouterError } from '../errors.js';
import { wholeNumber } from './arguments.js';
import type { CommandContext } from './context.js';

const DAY_MS = 86_400_000;
/** Ten years: who wants more wants a key that does not expire. */
const DAYS_MAX = 3_650;

/** `airouter keys create|list|revoke`: the access keys of AIROUTER_KEYS_FILE. */
export async function run(
  context: CommandContext,
  options: Record<string, unknown>,
): Promise<void> {
  const [action, id] = options['args'] as string[];
  const path = context.config.keysFile;
  if (path === null) {
    throw new AiRouterError('invalid_usage', 'keys: AIROUTER_KEYS_FILE must name their file', {
      field: 'AIROUTER_KEYS_FILE',
      rule: 'set',
    });
  }
  switch (action) {
    case 'create':
      return create(context, path, options);
    case 'list':
      return list(context, path);
    case 'revoke':
      return revoke(context, path, id);
    default:
      throw wrong('the action', 'create, list or revoke');
  }
}

/** The text of the key is nowhere but in this answer. */
async function create(
  { json, answer, print, progress }: CommandContext,
  path: string,
  options: Record<string, unknown>,
): Promise<void> {
  const nowMs = wallClock.nowMs();
  const { text, id, hash } = mintKey();
  const key: AccessKey = {
    id,
    hash,
    tenant: tenantOf(options),
    scopes: scopesOf(options['scope']),
    createdAtMs: nowMs,
    expiresAtMs: expiryOf(options['expiresDays'], nowMs),
    revokedAtMs: null,
    requestsPerSecond: limitOf(options['requestsPerSecond']),
  };
  await changeKeysFile(path, (keys) => ({ keys: [...keys, key], result: null }));
  if (json) return answer({ key: text, ...shown(key, nowMs) });
  progress(`Key ${id} is in ${path}, as its hash: this is the only time that it is shown.`);
  print(text);
}

async function list({ json, answer, print }: CommandContext, path: string): Promise<void> {
  const nowMs = wallClock.nowMs();
  const keys = (await readKeysFile(path)).map((key) => shown(key, nowMs));
  if (json) return answer({ keys });
  for (const { id, state, tenant, scopes, expires_at } of keys) {
    const until = expires_at === null ? '' : ` until ${expires_at}`;
    print(`${id}  ${state}${until}  ${tenant ?? 'every tenant'}  ${scopes.join(',')}`);
  }
}

/** The line stays: it says when the key was revoked, and its id is not given again. */
async function revoke(
  { json, answer, print }: CommandContext,
  path: string,
  id: string | undefined,
): Promise<void> {
  if (id === undefined) throw wrong('keys revoke', 'given the id of a key');
  const nowMs = wallClock.nowMs();
  const revoked = await changeKeysFile(path, (keys) => {
    const key = keys.find((one) => one.id === id);
    // What was given instead of an id may be a key.
    if (key === undefined) throw wrong('the id', `one that \`keys list\` shows`);
    const result = { ...key, revokedAtMs: key.revokedAtMs ?? nowMs };
    return { keys: keys.map((one) => (one === key ? result : one)), result };
  });
  if (json) answer(shown(revoked, nowMs));
  else print(`Key ${id} is revoked: it is refused within a second by all who read ${path}.`);
}

function shown(key: AccessKey, nowMs: number) {
  const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  return {
    id: key.id,
    state: stateOf(key, nowMs),
    tenant: key.tenant,
    scopes: key.scopes,
    created_at: iso(key.createdAtMs),
    expires_at: iso(key.expiresAtMs),
    revoked_at: iso(key.revokedAtMs),
    requests_per_second: key.requestsPerSecond,
  };
}

function tenantOf({ tenant, allTenants }: Record<string, unknown>): string | null {
  if ((tenant === undefined) === (allTenants !== true)) {
    throw wrong('one of --tenant and --all-tenants', 'given');
  }
  if (tenant === undefined) return null;
  if (isTenant(tenant)) return tenant;
  throw wrong('--tenant', 'a name of 1..128 characters');
}

function scopesOf(given: unknown): Scope[] {
  const scopes = [...new Set(String(given ?? '').split(','))];
  if (scopes.every(isScope)) return scopes;
  throw wrong('--scope', `some of ${SCOPES.join(',')}, comma separated`);
}

function expiryOf(given: unknown, nowMs: number): number | null {
  if (given === undefined) return null;
  return nowMs + within('--expires-days', given, DAYS_MAX) * DAY_MS;
}

function limitOf(given: unknown): number | null {
  if (given === undefined) return null;
  return within('--requests-per-second', given, REQUESTS_PER_SECOND_MAX);
}

function within(option: string, given: unknown, max: number): number {
  const value = wholeNumber(option, given);
  if (value >= 1 && value <= max) return value;
  throw wrong(option, `1..${max}`);
}

function wrong(field: string, rule: string): AiRouterError {
  return new AiRouterError('invalid_usage', `${field} must be ${rule}`, { field, rule });
}
