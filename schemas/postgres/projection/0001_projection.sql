-- Up Migration

-- One projection version. Every table here is made from the log and can be made again from it.
-- Times are integers since the Unix epoch: minutes (minute), 5 s ticks (tick), milliseconds (_ms).
-- Each row carries its log partition, so that one writer has it. Derived figures (rates, scores,
-- breaker states) are not stored: they are functions of rows and of the moment asked for.

create table outcome_tick (
  tick int4 not null,
  partition int4 not null,
  offering text collate "C" not null,
  stream bool not null,
  fallback bool not null,
  events int8 not null,
  success int8 not null,
  error int8 not null,
  timeout int8 not null,
  rate_limited int8 not null,
  cancelled int8 not null,
  content_filtered int8 not null,
  invalid_request int8 not null,
  unauthorized int8 not null,
  invalid_response int8 not null,
  pace_count int8 not null,
  pace_sum int8 not null,
  pace_square_sum int8 not null,
  retry_until_ms int8,
  ratelimit_remaining int8,
  primary key (tick, partition, offering, stream, fallback)
) partition by range (tick);

create table inflight_tick (
  tick int4 not null,
  partition int4 not null,
  offering text collate "C" not null,
  emitter text collate "C" not null,
  started int8 not null,
  in_flight int8,
  overdue int8,
  oldest_ms int8,
  primary key (tick, partition, offering, emitter)
) partition by range (tick);

create table outcome_minute (
  minute int4 not null,
  partition int4 not null,
  offering text collate "C" not null,
  operation text collate "C" not null,
  stream bool not null,
  fallback bool not null,
  events int8 not null,
  success int8 not null,
  error int8 not null,
  timeout int8 not null,
  rate_limited int8 not null,
  cancelled int8 not null,
  content_filtered int8 not null,
  invalid_request int8 not null,
  unauthorized int8 not null,
  invalid_response int8 not null,
  pace_count int8 not null,
  pace_sum int8 not null,
  pace_square_sum int8 not null,
  input_tokens_known int8 not null,
  input_tokens numeric(40,0) not null,
  output_tokens_known int8 not null,
  output_tokens numeric(40,0) not null,
  primary key (minute, partition, offering, operation, stream, fallback)
) partition by range (minute);

create table latency_minute (
  minute int4 not null,
  partition int4 not null,
  offering text collate "C" not null,
  operation text collate "C" not null,
  stream bool not null,
  fallback bool not null,
  metric text collate "C" not null,
  observations int8 not null,
  total int8 not null,
  censored int8 not null,
  histogram int8[] not null,
  primary key (minute, partition, offering, operation, stream, fallback, metric)
) partition by range (minute);

create table usage_minute (
  minute int4 not null,
  partition int4 not null,
  tenant text collate "C" not null,
  model text collate "C" not null,
  provider text collate "C" not null,
  deployment text collate "C" not null,
  operation text collate "C" not null,
  input_class int4 not null,
  events int8 not null,
  cost_nano_usd_known int8 not null,
  cost_nano_usd numeric(40,0) not null,
  uncosted_events int8 not null,
  uncosted_input_unknown int8 not null,
  uncosted_output_unknown int8 not null,
  uncosted_input_tokens numeric(40,0) not null,
  uncosted_cached_input_tokens numeric(40,0) not null,
  uncosted_cache_write_tokens numeric(40,0) not null,
  uncosted_output_tokens numeric(40,0) not null,
  uncosted_reasoning_tokens numeric(40,0) not null,
  primary key (minute, partition, tenant, model, provider, deployment, operation, input_class)
) partition by range (minute);

create table outcome_error_minute (
  minute int4 not null,
  partition int4 not null,
  offering text collate "C" not null,
  status text collate "C" not null,
  error_type text collate "C" not null,
  http_status int4 not null,
  events int8 not null,
  primary key (minute, partition, offering, status, error_type, http_status)
) partition by range (minute);

create table summary_minute (
  minute int4 not null,
  partition int4 not null,
  tenant text collate "C" not null,
  model text collate "C" not null,
  provider text collate "C" not null,
  deployment text collate "C" not null,
  region text collate "C" not null,
  summaries int8 not null,
  total_requests numeric(40,0) not null,
  successful_requests_known int8 not null,
  successful_requests numeric(40,0) not null,
  failed_requests_known int8 not null,
  failed_requests numeric(40,0) not null,
  duration_ms_weighted_known int8 not null,
  duration_ms_weighted numeric(40,0) not null,
  cost_nano_usd_known int8 not null,
  cost_nano_usd numeric(40,0) not null,
  total_tokens_known int8 not null,
  total_tokens numeric(40,0) not null,
  primary key (minute, partition, tenant, model, provider, deployment, region)
) partition by range (minute);

create table model (
  partition int4 not null,
  name text collate "C" not null,
  display_name text collate "C",
  capabilities text collate "C",
  context_tokens int8,
  output_tokens_max int8,
  enabled bool,
  primary key (partition, name)
);

create table provider (
  partition int4 not null,
  name text collate "C" not null,
  display_name text collate "C",
  enabled bool,
  primary key (partition, name)
);

create table offering (
  partition int4 not null,
  offering text collate "C" not null,
  model text collate "C",
  provider text collate "C",
  deployment text collate "C",
  region text collate "C",
  call_as text collate "C",
  capabilities text collate "C",
  context_tokens int8,
  output_tokens_max int8,
  requests_per_minute int8,
  tokens_per_minute int8,
  weight int4,
  priority int4,
  enabled bool,
  primary key (partition, offering)
);

create table alias (
  partition int4 not null,
  name text collate "C" not null,
  model text collate "C",
  primary key (partition, name)
);

create table price (
  partition int4 not null,
  model text collate "C" not null,
  provider text collate "C" not null,
  deployment text collate "C" not null,
  valid_from int8 not null,
  source text collate "C",
  tiers text collate "C",
  primary key (partition, model, provider, deployment, valid_from)
);

create table policy (
  partition int4 not null,
  name text collate "C" not null,
  document text collate "C",
  hash text collate "C",
  primary key (partition, name)
);


create index outcome_minute_offering on outcome_minute (offering, minute);
create index latency_minute_offering on latency_minute (offering, minute);

-- Sum of two histograms: bucket counts with the bucket's number as subscript, no zeros at the
-- ends, '{}' = empty. The buckets are those of the product's fixed log-linear histogram.
create function histogram_add(a int8[], b int8[]) returns int8[]
language plpgsql immutable strict parallel safe as $$
declare
  lo int := least(array_lower(a, 1), array_lower(b, 1));
  hi int := greatest(array_upper(a, 1), array_upper(b, 1));
  result int8[] := a;
begin
  if cardinality(a) = 0 then return b; end if;
  if cardinality(b) = 0 then return a; end if;
  if lo < array_lower(a, 1) or hi > array_upper(a, 1) then
    result := array_fill(0::int8, array[hi - lo + 1], array[lo]);
    result[array_lower(a, 1):array_upper(a, 1)] := a;
  end if;
  for i in array_lower(b, 1)..array_upper(b, 1) loop
    if b[i] <> 0 then result[i] := result[i] + b[i]; end if;
  end loop;
  return result;
end $$;

create aggregate histogram_sum(int8[]) (sfunc = histogram_add, stype = int8[], initcond = '{}');

-- Greatest value of a bucket: 0..7 have one each, then 8 buckets an octave.
create function histogram_bucket_high(bucket int) returns int8
language sql immutable strict parallel safe as $$
  select case
    when bucket < 7 then bucket::int8
    else ((8 + ((bucket + 1 - 8) & 7))::int8 << ((bucket + 1 - 8) >> 3)) - 1
  end
$$;

-- The quantile (nearest rank, per mille) as the greatest value of its bucket; null where empty.
create function histogram_quantile(counts int8[], per_mille int) returns int8
language sql immutable strict parallel safe
return (
  select histogram_bucket_high(bucket) from (
    select bucket, sum(count) over (order by bucket) as reached, sum(count) over () as total
    from (select i as bucket, counts[i] as count from generate_subscripts(counts, 1) as i) as buckets
  ) as running
  where reached >= greatest(1, ceil(total * per_mille / 1000.0))
  order by bucket limit 1
);

-- What a partition's fold knows between two batches, committed together with its rows.
create table projection_checkpoint (
  topic text collate "C" not null,
  partition int4 not null,
  offset_next int8 not null,
  -- The last record read below offset_next: a topic made anew does not have it.
  last_offset int8,
  last_hash text,
  -- Where the window of recent event ids begins.
  window_offset int8,
  highest_record_ms int8,
  records int8 not null default 0,
  undecodable_run int4 not null default 0,
  undecodable_recent int8[] not null default '{}',
  allowed_to int8 not null default 0,
  owner text not null default '',
  primary key (topic, partition)
) with (fillfactor = 50);

create table publisher_high (
  topic text collate "C" not null,
  partition int4 not null,
  publisher text collate "C" not null,
  sequence int8 not null,
  used_at_ms int8 not null,
  primary key (topic, partition, publisher)
) with (fillfactor = 70);

create table admitted_key (
  topic text collate "C" not null,
  partition int4 not null,
  day int4 not null,
  kind text collate "C" not null,
  key text collate "C" not null,
  primary key (topic, partition, day, kind, key)
);

-- A record (index -1) or one event of it that was parked.
create table parked (
  topic text collate "C" not null,
  partition int4 not null,
  record_offset int8 not null,
  index int4 not null,
  code text not null,
  reason text not null,
  -- The commit that counted its replayed copy ended below this offset; null = none did.
  replayed_below int8,
  primary key (topic, partition, record_offset, index)
);

-- The oldest minute or tick that a partition keeps, and the events that were dropped below it.
create table retention_floor (
  table_name text collate "C" not null,
  topic text collate "C" not null,
  partition int4 not null,
  floor int4 not null,
  dropped_events int8 not null default 0,
  primary key (table_name, topic, partition)
) with (fillfactor = 50);

-- Hot keys whose values changed, with the offset up to which; for an offering also its newest
-- minute, behind which its recent minutes are read.
create table hot_mark (
  topic text collate "C" not null,
  partition int4 not null,
  name text collate "C" not null,
  offset_next int8 not null,
  newest_minute int4,
  primary key (topic, partition, name)
) with (fillfactor = 50);

-- Settings that the fold depends on: another value makes other rows, so it needs a new version.
create table projection_setting (
  name text primary key,
  value text not null
);

-- Hours whose minutes changed since their hour and day rows were computed.
create table dirty_hour (
  hour int4 not null,
  partition int4 not null,
  -- Rises with every change, so that one during the computation is not lost.
  version int8 not null default 1,
  primary key (hour, partition)
) with (fillfactor = 50);

-- Caches for long ranges, recomputed whole from minutes.
create table outcome_hour (like outcome_minute including all);
alter table outcome_hour rename column minute to hour;
create table outcome_day (like outcome_minute including all);
alter table outcome_day rename column minute to day;
create table latency_hour (like latency_minute including all);
alter table latency_hour rename column minute to hour;
create table latency_day (like latency_minute including all);
alter table latency_day rename column minute to day;
create table usage_hour (like usage_minute including all);
alter table usage_hour rename column minute to hour;
create table usage_day (like usage_minute including all);
alter table usage_day rename column minute to day;

-- Down Migration
