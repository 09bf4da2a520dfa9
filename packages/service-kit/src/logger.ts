import { type Logger, pino } from 'pino';
import { traceFields } from './tracing.js';

export type { Logger };

/** JSON lines on stdout. IDs are bigints: they are written as decimal strings. Inside a span that is kept, with its `traceId`. */
export function createLogger(name: string, level: string): Logger {
  return pino({
    name,
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin: traceFields,
    formatters: {
      level: (label) => ({ level: label }),
      log: (fields) =>
        Object.fromEntries(Object.entries(fields).map(([k, v]) => [k, typeof v === 'bigint' ? v.toString() : v])),
    },
  });
}
