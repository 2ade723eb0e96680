import { decode } from '../src/event/decode.js';
import type { EncodedBatch } from '../src/event/encode.js';
import type { FoldedOutcome, RequestOutcome } from '../src/event/outcome.js';
import { brokenRule } from '../src/event/rules.js';
import { schemas } from '../src/event/schemas.js';
import { BODY_START } from '../src/event/wire.js';
import { type Bench, type Contest, expectSame, inThisProcess, type Size } from './contest.js';
import { batchesOf, EVENTS_A_BATCH, outcomes } from './traffic.js';

/** From the bytes of a batch to events that may be folded: checksum, bounds, Avro, rules. */
export const decodeBench: Bench = {
  name: 'decode',
  unit: 'events per CPU second',
  floorIs: 'avsc alone: the same bytes, every field, no checksum, no bounds, no rules',
  peerIs: 'JSON.parse of the same events as text, no checks',
  open,
};

/** How often a round goes through the events: a shorter one is lost in what else the process does. */
const PASSES = { full: 5, smoke: 1 };

async function open(size: Size): Promise<Contest> {
  const events = outcomes(0, size === 'full' ? 20_000 : 500);
  const batches = batchesOf(events, 1);
  const texts = textsOf(events);
  const { type } = schemas.written('OutcomeBatch');
  const ours = batches.map((batch) => () => decodeChecked(batch));
  const floor = batches.map(
    ({ value }) =>
      (): RequestOutcome[] =>
        type.decode(value, BODY_START).value.outcomes,
  );
  const peer = texts.map((text) => (): object[] => JSON.parse(text).outcomes);

  const all = <T>(reads: readonly (() => T[])[]): T[] => reads.flatMap((read) => read());
  expectSame('avsc', all(floor).map(plain), events.map(plain));
  expectSame('ours', all(ours).map(plain), events.map(folded).map(plain));
  expectSame('JSON', all(peer), events.map(plain));
  const contender = (reads: readonly (() => object[])[]) =>
    inThisProcess(() => {
      let count = 0;
      for (let pass = 0; pass < PASSES[size]; pass++) {
        for (const read of reads) count += read().length;
      }
      return count;
    });
  return {
    ours: contender(ours),
    floor: contender(floor),
    peer: contender(peer),
    answer: `${events.length} events equal the ones that were encoded`,
    close: async () => {},
  };
}

function decodeChecked({ value, headers }: EncodedBatch): FoldedOutcome[] {
  const decoded = decode(value, headers);
  if ('failed' in decoded || decoded.type !== 'OutcomeBatch') throw new Error('not a batch');
  for (const event of decoded.value.outcomes) {
    if (brokenRule(event) !== null) throw new Error('a rule is broken');
  }
  return decoded.value.outcomes;
}

/** The same events in as many texts as there are batches. */
function textsOf(events: readonly RequestOutcome[]): string[] {
  return Array.from({ length: Math.ceil(events.length / EVENTS_A_BATCH) }, (_, i) => {
    const part = events.slice(i * EVENTS_A_BATCH, (i + 1) * EVENTS_A_BATCH);
    return JSON.stringify({ outcomes: part.map(plain) });
  });
}

/** Ids as text, as JSON has them; in the order of names. */
function plain(event: Partial<RequestOutcome>): Record<string, unknown> {
  const { event_id, decision, ...rest } = event;
  const decisionId = decision && { ...decision, decision_id: hex(decision.decision_id) };
  const all = { ...rest, event_id: hex(event_id!), ...(decision && { decision: decisionId }) };
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const hex = (id: Uint8Array): string => Buffer.from(id).toString('hex');

/** Without the fields that nothing folds and that decoding skips. */
function folded(event: RequestOutcome): Partial<RequestOutcome> {
  const { request_id, final, hedged, requested_model, decision, ...rest } = event;
  return rest;
}
