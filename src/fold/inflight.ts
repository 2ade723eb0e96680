import { OTHER_OFFERING } from '../event/offering-key.js';
import type { Inflight } from '../event/outcome.js';
import { brokenRuleOfInflight } from '../event/rules.js';
import { formatUuid } from '../event/uuid.js';
import { type FoldContext, parksEvent, type Verdict, verdictOn } from './context.js';
import { cellOf } from './delta.js';

const STARTED = cellOf('inflight_tick', 'started');
const IN_FLIGHT = cellOf('inflight_tick', 'in_flight');
const OVERDUE = cellOf('inflight_tick', 'overdue');
const OLDEST = cellOf('inflight_tick', 'oldest_ms');

/**
 * A gauge: the last one of an emitter in a tick of record time stands, with all its fields.
 * `started` is not added up: a gauge has no identity, so one that was sent twice would count twice.
 */
export function foldInflight(context: FoldContext, gauge: Inflight): void {
  const { state, result, recordMs } = context;
  if (parksEvent(context, 0, judge, gauge)) return;
  result.counts.read += 1;
  result.counts.applied += 1;
  const isAdmitted = state.admission.admits('offering', gauge.offering, recordMs);
  const row = result.delta.row('inflight_tick', [
    Math.floor(recordMs / 5_000),
    state.partition,
    isAdmitted ? gauge.offering : OTHER_OFFERING,
    formatUuid(gauge.emitter),
  ]);
  row[STARTED] = gauge.started;
  row[IN_FLIGHT] = gauge.in_flight;
  row[OVERDUE] = gauge.overdue;
  row[OLDEST] = gauge.oldest_ms;
}

const judge = (gauge: Inflight): Verdict | null => verdictOn(brokenRuleOfInflight(gauge));
