import { type Logger, pino, stdSerializers } from 'pino';
import type { Redact } from './core/redact.ts';

/** Never logged, wherever they stand: what would let a reader act as somebody else. */
const secretFields = ['token', 'authorization', 'password', 'response_url', 'trigger_id', 'secret'];

/** A longer line says nothing that anybody reads, and would keep all others waiting. */
const longestLine = 100_000;

function bounded(line: string): string {
  if (line.length <= longestLine) return line;
  const problem = `a line of ${line.length} letters was not logged; it began with ${line.slice(0, 2_000)}`;
  return `${JSON.stringify({ level: 50, time: Date.now(), pid: process.pid, problem, msg: 'a log line was too long' })}\n`;
}

/** JSON lines on standard output; `problem` is logged as an error with its stack. Each line is rid of secrets as a whole. */
export function createLog(level: string, role: string, redact: Redact): Logger {
  return pino({
    level,
    base: { role, pid: process.pid },
    serializers: { problem: stdSerializers.err },
    redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '[redacted]' },
    hooks: { streamWrite: (line) => redact(bounded(line)) },
  });
}
