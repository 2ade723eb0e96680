/**
 * Fields of the `state` hash. Beside these it has `history` (ids of the newest writes, newest
 * first, 16 characters each), `removed` (JSON: [revision, key name] of keys that were removed
 * lately) and, for each value key, `key:<name>` = `<lane> <revision> <version> <written at ms>
 * <lifetime ms>` as of its last change.
 */
export const STATE_FIELDS = [
  'epoch',
  'revision',
  'write_id',
  'health_version',
  'health_vector',
  'health_written_at_ms',
  'health_write_id',
  'metrics_version',
  'metrics_vector',
  'metrics_written_at_ms',
  'metrics_write_id',
] as const;

export const WRITE_ID_LENGTH = 16;
