import type { Snapshot } from './snapshot.js';

/** The state that was read, as it is answered and logged. */
export interface StateRef {
  generation: string;
  version: number;
  vector: Record<string, number[]>;
}

const refs = new WeakMap<Snapshot, StateRef>();

/**
 * Version and vector are those of the lane `health`, which is the newest. A topic that the lane
 * `metrics` has read less far of stands once more, as `metrics:<topic>`: both together say what
 * the decision was made from; at rest they are equal.
 */
export function stateRefOf(snapshot: Snapshot): StateRef {
  let ref = refs.get(snapshot);
  if (ref === undefined) {
    ref = makeRef(snapshot);
    refs.set(snapshot, ref);
  }
  return ref;
}

function makeRef({ generation, state }: Snapshot): StateRef {
  const health = state?.lanes.health ?? null;
  const metrics = state?.lanes.metrics ?? null;
  const newest = health ?? metrics;
  if (newest === null) return { generation, version: 0, vector: {} };
  const vector = Object.entries(newest.vector).map(([topic, offsets]) => [topic, [...offsets]]);
  const behind = Object.entries(metrics?.vector ?? {})
    .filter(([topic, offsets]) => String(newest.vector[topic]) !== String(offsets))
    .map(([topic, offsets]) => [`metrics:${topic}`, [...offsets]]);
  return {
    generation,
    version: newest.version,
    vector: Object.fromEntries([...vector, ...behind]),
  };
}
