import type { Uuid } from '../event/outcome.js';
import { uuidV8 } from '../event/uuid.js';

/** What the draws of a preview are made by: the same for the same seed, and no decision's id. */
export function previewId(seed: string): Uuid {
  return uuidV8('airouter/preview', `seed:${seed}`);
}
