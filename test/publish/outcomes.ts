import { decode } from '../../src/event/decode.js';
import type { RequestOutcome } from '../../src/event/outcome.js';
import type { Attempt } from './scripted-log.js';

/** An outcome whose id is its number. */
export function outcome(number: number, change: Partial<RequestOutcome> = {}): RequestOutcome {
  const id = Buffer.alloc(16);
  id.writeUInt32BE(number, 12);
  return {
    event_id: id,
    occurred_at: 1_800_000_000_000,
    tenant: '',
    region: 'eu',
    deployment: '',
    request_id: '',
    attempt: 0,
    final: true,
    hedged: false,
    operation: 'chat',
    model: 'gpt-4o',
    provider: 'openai',
    requested_model: null,
    status: 'success',
    error_type: null,
    http_status: 200,
    stream: false,
    duration_ms: 900,
    ttft_ms: null,
    input_tokens: 1200,
    output_tokens: 300,
    cached_input_tokens: null,
    cache_write_tokens: null,
    reasoning_tokens: null,
    cost_nano_usd: null,
    retry_after_ms: null,
    ratelimit_remaining: null,
    decision: null,
    ...change,
  };
}

export interface ReadBatch {
  publisher: string;
  sequence: number;
  /** The numbers of its outcomes. */
  numbers: number[];
}

/** The batch in a record, which has to be whole. */
export function readBatch({ value, headers }: Pick<Attempt, 'value' | 'headers'>): ReadBatch {
  const decoded = decode(value, headers);
  if ('failed' in decoded || decoded.type !== 'OutcomeBatch') {
    throw new Error(`not a batch: ${JSON.stringify(decoded)}`);
  }
  return {
    publisher: Buffer.from(decoded.value.publisher).toString('hex'),
    sequence: decoded.value.sequence,
    numbers: decoded.value.outcomes.map((it) => Buffer.from(it.event_id).readUInt32BE(12)),
  };
}

/** What a fold counts of a partition: no batch that is not above its publisher's highest. */
export function counted(records: readonly Attempt[]): ReadBatch[] {
  const highest = new Map<string, number>();
  return records.map(readBatch).filter(({ publisher, sequence }) => {
    if (sequence <= (highest.get(publisher) ?? 0)) return false;
    highest.set(publisher, sequence);
    return true;
  });
}
