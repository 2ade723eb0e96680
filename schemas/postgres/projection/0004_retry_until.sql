-- Up Migration

-- Deadlines that providers named and that are still to come, among all ticks that are kept.
create index outcome_tick_retry_until on outcome_tick (retry_until_ms)
  where retry_until_ms is not null;

-- Down Migration
