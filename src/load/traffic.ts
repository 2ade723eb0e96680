import { randomBytes } from 'node:crypto';
import { builtInCatalogue } from '../catalogue/built-in.js';
import { pick, words } from '../demo/draws.js';
import { outcomeOf } from '../demo/outcomes.js';
import { type DemoRequest, requestOf } from '../demo/requests.js';
import { offeringsAndPrices } from '../demo/traced-loop.js';
import { readArrivals } from '../demo/traces.js';
import { createWorld } from '../demo/world.js';
import { offeringKey } from '../event/offering-key.js';
import type { CatalogueOffering, RequestOutcome } from '../event/outcome.js';
import { formatUuid, uuidV7 } from '../event/uuid.js';

/** SYNTHETIC, as the demo's world is: what is asked for and how it ends, drawn from a seed. */
export interface Traffic {
  request(index: number): DemoRequest;
  /** A first attempt that ends now, at an offering that is drawn, whatever a router would choose. */
  outcome(index: number, request: DemoRequest, endedMs: number): RequestOutcome;
}

/**
 * The demo's requests and providers without its arrival times. What is drawn follows from the seed;
 * identities do not, since a second run on the same log must not be taken for the first.
 */
export function createTraffic(seed: string, startMs: number, seconds: number): Traffic {
  const { offerings, prices } = offeringsAndPrices(builtInCatalogue().entries);
  const world = createWorld({
    seed,
    offerings,
    prices,
    firstMs: startMs,
    lastMs: startMs + seconds * 1000,
  });
  const arrivals = readArrivals();
  const byModel = offeringsByModel(offerings);
  return {
    request(index) {
      const request = requestOf(seed, index, arrivals[index % arrivals.length]!);
      const requestId = formatUuid(uuidV7(Date.now(), randomBytes(16)));
      // Nobody's usage: it can be told from real traffic for ever.
      return { ...request, requestId, tenant: `load/${request.tenant}` };
    },
    outcome(index, request, endedMs) {
      const [draw] = words(seed, 'offering', index) as [number];
      const offering = pick(draw, byModel.get(request.model)!);
      const result = world.attempt({
        requestIndex: index,
        attempt: 0,
        offering: offeringKey(offering),
        atMs: endedMs,
        inputTokens: request.inputTokens,
        outputTokens: request.outputTokens,
        stream: request.stream,
      });
      return {
        ...outcomeOf(request, offering, result),
        event_id: uuidV7(Math.floor(endedMs), randomBytes(16)),
        occurred_at: Math.floor(endedMs),
      };
    },
  };
}

type Choices = { item: CatalogueOffering; weight: number }[];

function offeringsByModel(offerings: readonly CatalogueOffering[]): Map<string, Choices> {
  const byModel = new Map<string, Choices>();
  for (const item of offerings) {
    const choices = byModel.get(item.model) ?? [];
    choices.push({ item, weight: 1 });
    byModel.set(item.model, choices);
  }
  return byModel;
}
