import type { ModelsValueOffering } from '../hotkeys/values.js';

/** What a policy says of an offering, by its key text or else by its provider; undefined = nothing. */
export function overriddenBy<T>(
  byTarget: ReadonlyMap<string, T>,
  { offering, provider }: ModelsValueOffering,
): T | undefined {
  if (byTarget.size === 0) return undefined;
  return byTarget.get(offering) ?? byTarget.get(provider);
}

/** The first tier that names the offering or its provider; the one after all, where none does. */
export function tierNumberOf(
  tiers: readonly ReadonlySet<string>[],
  { offering, provider }: ModelsValueOffering,
): number {
  const tier = tiers.findIndex((targets) => targets.has(offering) || targets.has(provider));
  return tier === -1 ? tiers.length : tier;
}
