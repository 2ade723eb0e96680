-- The embedded log: what Kafka keeps in its topics, as tables.

create table log_topic (
  -- A topic that is deleted and made again has another id, and none of the old records.
  topic_id integer generated always as identity primary key,
  topic text not null unique,
  partitions integer not null check (partitions > 0),
  timestamp_type text not null check (timestamp_type in ('LogAppendTime', 'CreateTime'))
);

-- An append takes its offsets from this row, which stays locked until it commits: so the order of
-- commits is the order of offsets, and a reader never passes a record that is not committed yet.
create table log_partition (
  topic_id integer not null references log_topic on delete cascade,
  partition integer not null,
  start_offset bigint not null default 0,
  next_offset bigint not null default 0,
  -- Of the newest record where the log gives the times: they never run back.
  last_timestamp_ms bigint not null default 0,
  primary key (topic_id, partition)
) with (fillfactor = 20); -- Updated by every append: room for the new version on the same page.

create table log_record (
  topic_id integer not null,
  partition integer not null,
  "offset" bigint not null,
  timestamp_ms bigint not null,
  key bytea,
  value bytea,
  -- JSON text [[name, base64], …]; null = none.
  headers text,
  -- No foreign key: its check would cost more than the insert.
  primary key (topic_id, partition, "offset")
);
-- Compressing a batch takes longer than writing it.
alter table log_record alter column value set storage external;

-- Consumers of a group. A member that was not seen for some seconds is dead.
create table log_member (
  group_id text not null,
  member_id uuid not null,
  -- What it wants to read.
  topics text[] not null,
  -- topic/partition that it reads now: another one waits until they are given up.
  claims text[] not null,
  seen_at timestamptz not null,
  primary key (group_id, member_id)
) with (fillfactor = 20);
