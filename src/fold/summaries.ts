import type { OutcomeSummary } from '../event/outcome.js';
import { brokenRuleOfSummary } from '../event/rules.js';
import { type FoldContext, parksEvent, type Verdict, verdictOn } from './context.js';
import { add, cellOf, type Row } from './delta.js';

const SUMMARIES = cellOf('summary_minute', 'summaries');
const TOTAL = cellOf('summary_minute', 'total_requests');
const KNOWN = {
  successful_requests: cellOf('summary_minute', 'successful_requests_known'),
  failed_requests: cellOf('summary_minute', 'failed_requests_known'),
  duration: cellOf('summary_minute', 'duration_ms_weighted_known'),
  cost_nano_usd: cellOf('summary_minute', 'cost_nano_usd_known'),
  total_tokens: cellOf('summary_minute', 'total_tokens_known'),
};

/** Aggregates of emitters that have nothing finer: own table, own books, never percentiles. */
export function foldSummary(context: FoldContext, summary: OutcomeSummary): void {
  const { state, result, recordMs, settings } = context;
  if (parksEvent(context, 0, judge, summary)) return;
  result.counts.read += 1;
  const isDuplicate = state.recent.has(summary.id);
  state.recent.add(summary.id, context.offset);
  if (isDuplicate) {
    result.counts.duplicate += 1;
    return;
  }
  result.counts.applied += 1;
  const isSkewed = summary.occurred_at > recordMs + 5 * 60_000;
  const minute = Math.floor((isSkewed ? recordMs : summary.occurred_at) / 60_000);
  if (isSkewed) result.counts.skewed += 1;
  if (minute < Math.floor((recordMs - settings.minuteRetentionMs) / 60_000)) {
    result.counts.late += 1;
    return;
  }
  addSummaryRow(context, summary, minute);
}

const judge = (summary: OutcomeSummary): Verdict | null => verdictOn(brokenRuleOfSummary(summary));

function addSummaryRow(context: FoldContext, summary: OutcomeSummary, minute: number): void {
  const { tenant, model, provider, deployment, region } = summary;
  const own = [tenant, model, provider, deployment, region];
  const isAdmitted = context.state.admission.admits('usage', own.join('\u0001'), context.recordMs);
  const row = context.result.delta.row('summary_minute', [
    minute,
    context.state.partition,
    ...(isAdmitted ? own : ['', '', '', '', '']),
  ]);
  add(row, SUMMARIES, 1);
  add(row, TOTAL, summary.total_requests);
  addKnown(row, KNOWN.successful_requests, summary.successful_requests);
  addKnown(row, KNOWN.failed_requests, summary.failed_requests);
  addKnown(row, KNOWN.cost_nano_usd, summary.cost_nano_usd);
  addKnown(row, KNOWN.total_tokens, summary.total_tokens);
  if (summary.duration_ms_mean !== null) {
    // The mean weighted by its requests; the product may pass 2^53, so it is made as a bigint.
    const weighted = BigInt(summary.duration_ms_mean) * BigInt(summary.total_requests);
    add(row, KNOWN.duration, 1);
    row[KNOWN.duration + 1] = BigInt(row[KNOWN.duration + 1] as number | bigint) + weighted;
  }
}

function addKnown(row: Row, first: number, value: number | null): void {
  if (value === null) return;
  add(row, first, 1);
  add(row, first + 1, value);
}
