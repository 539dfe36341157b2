import { open } from 'node:fs/promises';
import { AuditRecord } from '../src/core/audit.ts';
import type { AuditStore, Log } from '../src/core/ports.ts';
import { type Loop, startLoop } from './loop.ts';

const everyMs = 1_000;
const portion = 500;
/** Longer than any record; the last line of the file is looked for in so much of its end. */
const tailBytes = 65_536;

const Numbered = AuditRecord.pick({ seq: true });

function numberOf(line: string): number | undefined {
  try {
    return Numbered.safeParse(JSON.parse(line)).data?.seq;
  } catch {
    return undefined;
  }
}

/**
 * The number of the last whole record in the file, 0 where there is none. Half a line at the end, left by a process that
 * was killed or by a full disk, is cut off: it will be written again.
 */
async function lastIn(path: string): Promise<number> {
  const file = await open(path, 'a+', 0o600);
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - tailBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    const end = buffer.subarray(0, bytesRead).lastIndexOf('\n') + 1;
    if (end < bytesRead) await file.truncate(from + end);
    const lines = buffer.subarray(0, end).toString('utf8').trimEnd().split('\n');
    // Somebody may have written into it: what is no record is passed over, and found when the file is checked.
    const last = lines.map(numberOf).findLast((seq) => seq !== undefined);
    if (last === undefined && end > 0) throw new Error(`the end of ${path} holds no audit record: put that file away`);
    return last ?? 0;
  } finally {
    await file.close();
  }
}

/**
 * Keeps the whole audit chain in a file as well, a record a line, each on the disk before the next portion is read. Where
 * the disk is full it tries again, and nothing is lost meanwhile: Redis has it.
 */
export function startAuditFile(deps: { audit: Pick<AuditStore, 'read'>; path: string; log: Log }): Loop {
  const { audit, path, log } = deps;
  const append = async (records: readonly AuditRecord[]) => {
    const file = await open(path, 'a', 0o600);
    try {
      await file.appendFile(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
      await file.datasync();
    } finally {
      await file.close();
    }
  };
  const turn = async () => {
    for (let after = await lastIn(path); ; ) {
      const records = await audit.read({ after, limit: portion });
      const last = records.at(-1);
      if (!last) return;
      await append(records);
      after = last.seq;
    }
  };
  return startLoop('audit file', { everyMs }, turn, log);
}
