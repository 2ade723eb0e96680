import { type Logger, pino } from 'pino';

export type { Logger };

/**
 * One JSON line a change of state, on stderr: standard output belongs to a command's answer.
 * Nothing is logged for each event or request. Secrets are redacted wherever they would stand.
 */
export function createLogger(level: string): Logger {
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: [
          '*.password',
          '*.authorization',
          '*.databaseUrl',
          '*.redisUrl',
          'headers.authorization',
        ],
        censor: '(hidden)',
      },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}
