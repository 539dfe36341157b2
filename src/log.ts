import { type Logger, pino, stdSerializers } from 'pino';
import type { Redact } from './core/redact.ts';

/** Never logged, wherever they stand: what would let a reader act as somebody else. */
const secretFields = ['token', 'authorization', 'password', 'response_url', 'trigger_id', 'secret'];

/** JSON lines on standard output; `problem` is logged as an error with its stack. Each line is rid of secrets as a whole. */
export function createLog(level: string, role: string, redact: Redact): Logger {
  return pino({
    level,
    base: { role, pid: process.pid },
    serializers: { problem: stdSerializers.err },
    redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '[redacted]' },
    hooks: { streamWrite: redact },
  });
}
