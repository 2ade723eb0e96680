import { AiRouterError } from '../errors.js';
import { decodeWhole } from '../event/decode.js';
import type { Schemas } from '../event/schemas.js';
import type { Parts } from '../roles/parts.js';
import { storedSchemas } from '../roles/schemas.js';
import type { CommandContext } from './context.js';
import {
  lettersOfPartition,
  type PlaceState,
  parkedRows,
  placeNamed,
  stateOf,
} from './dlq-letters.js';
import { readable } from './readable.js';

/** A dead letter in full. */
interface ShownLetter {
  place: string;
  state: PlaceState;
  code: string;
  reason: string;
  /** Path of the field that broke its rule; empty = the value as a whole. */
  field: string;
  rule: string;
  /** Of the letter, not of the original: those are its producer's own. */
  headers: Record<string, string>;
  bytes: number;
  /** The record, or the one event of a batch; null where the bytes are none. */
  decoded: { type: string; value: unknown } | null;
  /** The first bytes, where they do not decode. */
  hex: string | null;
}

/** A screen full of hex; the record whole is in the topic. */
const HEX_BYTES_MAX = 1_024;
const HEX_LINE_BYTES = 16;

/** `airouter dlq show PLACE`: why it was parked, and what it holds. */
export async function show(
  context: CommandContext,
  parts: Parts,
  options: Record<string, unknown>,
): Promise<void> {
  const [, text, more] = options['args'] as string[];
  if (text === undefined || more !== undefined) {
    throw new AiRouterError('invalid_usage', 'dlq show takes one place, as dlq list shows them');
  }
  const shown = await shownLetter(parts, text);
  if (context.json) context.answer(shown);
  else print(context, shown);
}

async function shownLetter(parts: Parts, text: string): Promise<ShownLetter> {
  const place = placeNamed(text);
  const { deadLetters } = parts.topics;
  const partitions = (await parts.log.partitions([deadLetters])).get(deadLetters) ?? 0;
  const found =
    place.partition < partitions ? await lettersOfPartition(parts, place.partition, text) : null;
  const letter = found?.letters.get(text);
  if (found === null || letter === undefined) {
    throw new AiRouterError('invalid_usage', `no dead letter is of the place ${text}`);
  }
  const [row] = await parkedRows(parts, { place });
  const reason = row?.reason ?? letter.letter.reason;
  const { value, headers } = letter.record!;
  const decoded = decodedAt(value, place.index, await storedSchemas(parts));
  return {
    place: text,
    state: stateOf(row, found.discarded.has(text)),
    code: row?.code ?? letter.letter.code,
    reason,
    ...fieldAndRule(reason),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, bytes]) => [name, bytes.toString()]),
    ),
    bytes: value?.length ?? 0,
    decoded,
    hex: decoded === null ? (value?.subarray(0, HEX_BYTES_MAX).toString('hex') ?? '') : null,
  };
}

/** As decoding and the fold put them into one sentence. */
function fieldAndRule(reason: string): { field: string; rule: string } {
  const match = /^(.*?) must be (.*)$/s.exec(reason);
  if (match === null) return { field: '', rule: '' };
  return { field: match[1] === 'the value' ? '' : match[1]!, rule: match[2]! };
}

function decodedAt(value: Buffer | null, index: number, schemas: Schemas): ShownLetter['decoded'] {
  const decoded = decodeWhole(value, schemas);
  if ('failed' in decoded || decoded.type === 'unknown') return null;
  if (decoded.type !== 'OutcomeBatch' || index < 0) return decoded;
  const { outcomes } = decoded.value as { outcomes: unknown[] };
  return { type: 'RequestOutcome', value: outcomes[index] ?? null };
}

function print({ print: line }: CommandContext, shown: ShownLetter): void {
  line(`${shown.place}  ${shown.state}`);
  line(`${shown.code}: ${shown.reason}`);
  for (const [name, text] of Object.entries(shown.headers)) line(`  ${name}: ${text}`);
  line(`${shown.bytes} bytes`);
  if (shown.decoded !== null) {
    line(`${shown.decoded.type} ${JSON.stringify(shown.decoded.value, readable, 2)}`);
  } else {
    for (const each of hexLines(Buffer.from(shown.hex!, 'hex'))) line(each);
    if (shown.bytes > HEX_BYTES_MAX) line(`… ${shown.bytes - HEX_BYTES_MAX} bytes more`);
  }
}

/** Offset, bytes and ASCII, 16 bytes a line. */
function* hexLines(bytes: Buffer): Generator<string> {
  for (let at = 0; at < bytes.length; at += HEX_LINE_BYTES) {
    const part = bytes.subarray(at, at + HEX_LINE_BYTES);
    const hex = [...part].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const ascii = part.toString('latin1').replace(/[^ -~]/g, '.');
    const place = at.toString(16).padStart(8, '0');
    yield `${place}  ${hex.padEnd(HEX_LINE_BYTES * 3 - 1)}  ${ascii}`;
  }
}
