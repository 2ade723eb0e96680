-- Up Migration

-- How much of the reference of a success its output tokens take (64ths), its square, and its product
-- with the pace: an offering that is slow to begin and fast then is known by them. Rows of before do
-- not have the sums, so all of them are folded again from the first record of the log.
truncate outcome_tick, inflight_tick, outcome_minute, latency_minute, usage_minute,
  outcome_error_minute, summary_minute, model, provider, offering, alias, price, policy,
  projection_checkpoint, publisher_high, admitted_key, parked, retention_floor, hot_mark, dirty_hour,
  outcome_hour, outcome_day, latency_hour, latency_day, usage_hour, usage_day;

do $$
declare
  name text;
begin
  foreach name in array array['outcome_tick', 'outcome_minute', 'outcome_hour', 'outcome_day'] loop
    execute format(
      'alter table %I add column generation_sum int8 not null,
         add column generation_square_sum int8 not null, add column generation_pace_sum int8 not null',
      name
    );
  end loop;
end
$$;

-- Down Migration
