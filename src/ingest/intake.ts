import type { ItemError, Read } from './item.js';
import { APPEND_BYTES_MAX } from './record-lane.js';
import type { Placed } from './record-writer.js';

/** One body's items, sorted into what is written and what is wrong. */
export class Intake {
  readonly entries: Placed[] = [];
  readonly errors: ItemError[] = [];

  take<I, T>(
    list: string,
    items: readonly I[],
    read: (item: I) => Read<T>,
    place: (value: T) => Placed,
  ): void {
    for (const [index, item] of items.entries()) {
      const made = read(item);
      if ('value' in made) this.#add(list, index, place(made.value));
      else this.errors.push({ list, index, ...made.broken, code: 'rule_broken' });
    }
  }

  #add(list: string, index: number, entry: Placed): void {
    if (entry.value.length <= APPEND_BYTES_MAX) {
      this.entries.push(entry);
      return;
    }
    const rule = `at most ${APPEND_BYTES_MAX} bytes as a record`;
    this.errors.push({ list, index, field: '', rule, code: 'record_too_large' });
  }
}
