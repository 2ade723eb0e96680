import { randomUUID } from 'node:crypto';
import { assignPartitions, claimOf } from './embedded-assignment.js';
import type { LogDatabase } from './embedded-database.js';
import type { TopicPartition } from './port.js';

/** A member that was not seen for so long is dead: its partitions go to others. */
const MEMBER_TIMEOUT_MS = 3_000;

export interface EmbeddedGroup {
  /**
   * Says that the member lives and what it reads now; answers what it ought to read. A partition
   * that another live member still claims is left out until that one has given it up.
   */
  beat(claims: readonly TopicPartition[]): Promise<TopicPartition[]>;
  leave(): Promise<void>;
}

/**
 * One member of a group, as a row that it renews. Every member computes the same assignment from
 * the live rows. For a moment two may read the same partition (one was thought dead and was not):
 * their callers' checkpoints, moved by compare-and-set, let only one of them through.
 */
export function joinGroup(
  database: LogDatabase,
  group: string,
  partitions: ReadonlyMap<string, number>,
): EmbeddedGroup {
  const memberId = randomUUID();
  const topics = [...partitions.keys()];
  const table = database.table('log_member');
  const beat = database.statement(
    'beat',
    `with alive as (
       insert into ${table} (group_id, member_id, topics, claims, seen_at)
       values ($1, $2, $3, $4, clock_timestamp())
       on conflict (group_id, member_id)
       do update set claims = excluded.claims, seen_at = excluded.seen_at
     ), dead as (
       delete from ${table}
        where group_id = $1 and member_id <> $2
          and seen_at < clock_timestamp() - $5 * interval '1 ms'
     )
     select member_id, topics, claims from ${table}
      where group_id = $1 and member_id <> $2
        and seen_at >= clock_timestamp() - $5 * interval '1 ms'`,
  );
  const leave = database.statement(
    'leave',
    `delete from ${table} where group_id = $1 and member_id = $2`,
  );

  return {
    async beat(claims) {
      const others = await database.query<{
        member_id: string;
        topics: string[];
        claims: string[];
      }>(beat, [group, memberId, topics, claims.map(claimOf), MEMBER_TIMEOUT_MS]);
      const members = others.map((other) => ({
        memberId: other.member_id,
        topics: other.topics,
      }));
      const assigned = assignPartitions([...members, { memberId, topics }], partitions);
      const taken = new Set(others.flatMap((other) => other.claims));
      const own = new Set(claims.map(claimOf));
      return assigned.get(memberId)!.filter((partition) => {
        const claim = claimOf(partition);
        return own.has(claim) || !taken.has(claim);
      });
    },
    async leave() {
      await database.query(leave, [group, memberId]);
    },
  };
}
