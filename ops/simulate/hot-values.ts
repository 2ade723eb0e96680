import { OTHER_OFFERING, parseOfferingKey } from '../../src/event/offering-key.js';
import type { BatchResult } from '../../src/fold/context.js';
import type { Vector } from '../../src/hotkeys/port.js';
import { metricsKey } from '../../src/hotkeys/values.js';
import { FOLDED, placeName } from './layout.js';

/** Where a key stood after a commit: how many commits of the place have changed it by then. */
interface Change {
  offsetNext: number;
  changes: number;
}

/**
 * Values of the hot keys whose content says exactly which commits they hold, so that whatever is
 * read at a vector can be compared with what the store held at that vector.
 */
export class HotValues {
  readonly #offsets = new Map(FOLDED.map((place) => [placeName(place), 0]));
  /** By key, by place, in the order of commits. */
  readonly #history = new Map<string, Map<string, Change[]>>();

  commit(place: string, offsetNext: number, { marks }: BatchResult): void {
    this.#offsets.set(place, offsetNext);
    for (const mark of marks.keys()) {
      const key = keyOf(mark);
      const places = this.#history.get(key) ?? new Map<string, Change[]>();
      this.#history.set(key, places);
      const changes = places.get(place) ?? [];
      places.set(place, [...changes, { offsetNext, changes: changes.length + 1 }]);
    }
  }

  get vector(): Vector {
    const vector: Record<string, number[]> = {};
    for (const place of FOLDED) {
      const offsets = vector[place.topic] ?? [];
      offsets[place.partition] = this.#offsets.get(placeName(place))!;
      vector[place.topic] = offsets;
    }
    return vector;
  }

  health(): { vector: Vector; value: string } {
    const { vector } = this;
    return { vector, value: this.healthAt(vector) };
  }

  metrics(since: Vector | null): { vector: Vector; values: Map<string, string | null> } {
    const { vector } = this;
    const values = new Map<string, string | null>();
    for (const [key, places] of this.#history) {
      const isMarked = [...places].some(
        ([place, changes]) => changes.at(-1)!.offsetNext > offsetIn(since, place),
      );
      if (isMarked) values.set(key, this.#valueAt(key, vector));
    }
    return { vector, values };
  }

  healthAt(vector: Vector): string {
    return JSON.stringify(vector);
  }

  /** All values of the metrics lane as of a vector. */
  metricsAt(vector: Vector): Map<string, string> {
    const values = new Map<string, string>();
    for (const key of this.#history.keys()) {
      const value = this.#valueAt(key, vector);
      if (value !== '{}') values.set(key, value);
    }
    return values;
  }

  #valueAt(key: string, vector: Vector): string {
    const value: Record<string, number> = {};
    for (const [place, changes] of this.#history.get(key)!) {
      const offset = offsetIn(vector, place);
      const newest = changes.findLast((change) => change.offsetNext <= offset);
      if (newest !== undefined) value[place] = newest.changes;
    }
    return JSON.stringify(value);
  }
}

function keyOf(mark: string): string {
  const isOffering = mark === OTHER_OFFERING || parseOfferingKey(mark) !== null;
  return isOffering ? metricsKey(mark) : mark;
}

const placesByName = new Map(FOLDED.map((place) => [placeName(place), place]));

function offsetIn(vector: Vector | null, name: string): number {
  const { topic, partition } = placesByName.get(name)!;
  return vector?.[topic]?.[partition] ?? 0;
}

/** True where no offset of `low` is above the one of `high`. */
export function isAtOrBelow(low: Vector, high: Vector): boolean {
  return FOLDED.every(
    (place) => offsetIn(low, placeName(place)) <= offsetIn(high, placeName(place)),
  );
}
