/** An error in full, as far as it may be told: what a crash is explained by. */
export interface Defect {
  name: string;
  message: string;
  /** As ECONNRESET, of errors of the system and of libraries. */
  code?: string;
  syscall?: string;
  stack?: string;
  /** Of an 'error' event that nobody listened to: which object emitted it, and from where. */
  emitted?: string;
  cause?: Defect;
  /** The first of those that an AggregateError holds. */
  errors?: readonly Defect[];
}

/** A cause has a cause …: no deeper, and no broader. */
const DEPTH_MAX = 4;
/** Errors of one that has several. */
const ERRORS_MAX = 4;

/**
 * What an error says of itself. Its other fields are left out: errors of clients carry their
 * commands, and with them values and passwords. Passwords within URLs are hidden.
 */
export function defectOf(error: unknown, depth = 1): Defect {
  if (!(error instanceof Error)) return { name: typeof error, message: withoutSecrets(`${error}`) };
  const { name, message, stack, cause } = error;
  const { code, syscall, errors } = error as Error & Record<'code' | 'syscall' | 'errors', unknown>;
  const emitted = emitterOf(error);
  const isDeepest = depth >= DEPTH_MAX;
  const within = isDeepest || !Array.isArray(errors) ? [] : errors.slice(0, ERRORS_MAX);
  return {
    name,
    message: withoutSecrets(message),
    ...(code !== undefined && { code: String(code) }),
    ...(syscall !== undefined && { syscall: String(syscall) }),
    ...(stack !== undefined && { stack: withoutSecrets(stack) }),
    ...(emitted !== null && { emitted }),
    ...(!isDeepest && cause !== undefined && { cause: defectOf(cause, depth + 1) }),
    ...(within.length > 0 && { errors: within.map((each) => defectOf(each, depth + 1)) }),
  };
}

function withoutSecrets(text: string): string {
  return text.replace(/(\w:\/\/[^\s:@/]*:)[^\s@]+@/g, '$1(hidden)@');
}

/**
 * Node keeps for its own report of a crash where an unheard 'error' event was emitted; without it a
 * socket's error tells the system call and not whose socket it was. Null where it keeps nothing.
 */
function emitterOf(error: Error): string | null {
  const symbol = Object.getOwnPropertySymbols(error).find(
    ({ description }) => description === 'kEnhanceStackBeforeInspector',
  );
  if (symbol === undefined) return null;
  const enhanced = (error as unknown as Record<symbol, () => unknown>)[symbol]?.();
  const [, emitted] = String(enhanced).split(/^Emitted /m);
  return emitted === undefined ? null : withoutSecrets(`Emitted ${emitted}`.trimEnd());
}
