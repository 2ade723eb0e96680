import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assembleBatch, encodeOutcomeBody, encodeRecord } from '../../src/event/encode.js';
import { schemas } from '../../src/event/schemas.js';
import type { LogReader, LogRecord } from '../../src/log/port.js';
import { type Recount, Recounter } from '../../src/replay/recount.js';
import { TooManyPublishers } from '../../src/replay/recounted-highs.js';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';

const TOPIC = 'airouter.outcomes.v1';
const DAY_MS = 86_400_000;

type Stored = Pick<LogRecord, 'value' | 'headers'> & { timestampMs?: number };

/** Answers `records` a few at a time. */
function logOf(records: readonly Stored[], recordsARead: number): Pick<LogReader, 'read'> {
  const stored = records.map((record, offset) => ({
    timestampMs: START_MS,
    ...record,
    offset,
    key: null,
  }));
  return {
    read: async (topic, partition, offset) => ({
      topic,
      partition,
      fetchOffset: offset,
      records: stored.slice(offset, offset + recordsARead),
      highWatermark: stored.length,
    }),
  };
}

interface World {
  records: readonly Stored[];
  /** By place: where the commit that counted its copy ended; null = none did. */
  parked?: Readonly<Record<string, number | null>>;
  recordsARead?: number;
  highsMax?: number;
  share?: { index: number; of: number };
}

function recounter({ records, parked = {}, recordsARead = 2, ...options }: World) {
  const asked: [number, number][] = [];
  const places = Object.entries(parked);
  const counting = new Recounter({
    log: logOf(records, recordsARead) as LogReader,
    schemas,
    topic: TOPIC,
    partition: 0,
    minuteRetentionMs: 30 * DAY_MS,
    parked: {
      async between(first, last) {
        asked.push([first, last]);
        const isAsked = (offset: number) => offset >= first && offset <= last;
        return new Set(
          places.map(([place]) => place).filter((it) => isAsked(Number(it.split('/')[0]))),
        );
      },
      replayedBelow: async (named) => new Map(places.filter(([place]) => named.includes(place))),
    },
    ...options,
  });
  return { counting, asked };
}

const single = (id: number, origin?: string): Stored => ({
  value: encodeRecord('RequestOutcome', outcome({ event_id: idOf(id) })),
  headers: origin === undefined ? {} : { origin: Buffer.from(origin) },
});
const batch = (
  publisher: number,
  sequence: number,
  id: number,
  timestampMs = START_MS,
): Stored => ({
  ...assembleBatch(idOf(publisher), sequence, [encodeOutcomeBody(outcome({ event_id: idOf(id) }))]),
  timestampMs,
});

describe('counting a partition again', () => {
  it('I11 asks what is parked of the records of one read at a time', async () => {
    const records = [single(1), single(2), single(3), single(4), single(5)];
    const parked = { '1/0': null, '4/0': null };
    const { counting, asked } = recounter({ records, parked });
    expect(await counting.countTo(5)).toMatchObject({ read: 5, deadLettered: 2, duplicate: 0 });
    expect(asked).toEqual([
      [0, 1],
      [2, 3],
      [4, 4],
    ]);
  });

  it('I2 counts the first copy of a parked place, wherever its commit ended', async () => {
    const copy = single(1, `${TOPIC}/0/0/0`);
    const early = single(9, `${TOPIC}/0/9/0`);
    const records = [single(1), early, copy, copy, single(2), copy, single(3, `${TOPIC}/0/4/0`)];
    for (const below of [3, 4, 5]) {
      for (const recordsARead of [1, 2, 7]) {
        const { counting } = recounter({
          records,
          parked: { '0/0': below, '9/0': null },
          recordsARead,
        });
        // Copies 3 and 5 are repeats, 1 is of a place behind it, 6 of one that is not parked.
        expect(await counting.countTo(7)).toMatchObject({ read: 7, deadLettered: 1, duplicate: 4 });
      }
    }
  });

  it('I2 I11 comes to the same in shares of the publishers, each within its limit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.integer({ min: 1, max: 6 }),
            fc.integer({ min: 1, max: 3 }),
            fc.integer({ min: 1, max: 20 }),
            fc.constantFrom(0, 31 * DAY_MS),
          ),
          { maxLength: 20 },
        ),
        async (drawn) => {
          let atMs = START_MS;
          const records = drawn.map(([publisher, sequence, id, afterMs]) => {
            atMs += afterMs;
            return publisher === 6 ? single(id) : batch(publisher, sequence, id, atMs);
          });
          const whole = await recounter({ records }).counting.countTo(records.length);
          const total: Recount = { read: 0, duplicate: 0, skipped: 0, late: 0, deadLettered: 0 };
          for (let index = 0; index < 4; index++) {
            const share = { index, of: 4 };
            const part = await recounter({ records, share }).counting.countTo(records.length);
            for (const name of Object.keys(total) as (keyof Recount)[]) total[name] += part[name];
          }
          expect(total).toEqual(whole);
        },
      ),
    );
  });

  it('I11 gives up where more publishers are alive than it may hold, and forgets the others', async () => {
    const atOnce = [1, 2, 3, 4, 5].map((publisher) => batch(publisher, 1, publisher));
    const { counting } = recounter({ records: atOnce, highsMax: 4 });
    await expect(counting.countTo(5)).rejects.toThrow(TooManyPublishers);
    const monthly = [1, 2, 3, 4, 5, 6].map((publisher) =>
      batch(publisher, 1, publisher, START_MS + publisher * 31 * DAY_MS),
    );
    const patient = recounter({ records: monthly, highsMax: 4 });
    expect(await patient.counting.countTo(6)).toMatchObject({ read: 6, duplicate: 0 });
  });
});
