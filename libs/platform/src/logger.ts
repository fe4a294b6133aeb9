import { pino, type Logger } from 'pino';

export type { Logger } from 'pino';

/**
 * Makes the process's logger: JSON, one event a line, on standard error so that results stay alone on standard
 * output. Secrets never reach it: authorization headers are removed.
 */
export function createLogger(level: 'silent' | 'error' | 'warn' | 'info' | 'debug'): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: ['*.authorization', 'authorization', '*.secret', 'secret'], remove: true },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}
