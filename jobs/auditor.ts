import type { AuditStore, Log } from '../src/core/ports.ts';
import { type Loop, startLoop } from './loop.ts';

const everyMs = 1_000;

/** Makes the audit entries of the last second part of the chain. Any number of auditors share the work: of two at once one succeeds. */
export function startAuditor(deps: { audit: Pick<AuditStore, 'seal'>; log: Log }): Loop {
  return startLoop(
    'auditor',
    { everyMs },
    async () => {
      while ((await deps.audit.seal()) > 0);
    },
    deps.log,
  );
}
