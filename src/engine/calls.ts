import type { Verdict } from '../core/policy.ts';
import type { Run } from '../core/run.ts';
import type { Lap } from './lap.ts';

type Terms = Extract<Verdict, { kind: 'needs-approval' }>;
type Call = { kind: 'reminded' | 'escalated'; at: number };

/** When approvers are called again while a plan awaits approval: a while before it lapses, and when others are called in. */
function callsOf({ expireMinutes, remindMinutes, escalate }: Terms, began: number): Call[] {
  const reminder = { kind: 'reminded' as const, at: began + (expireMinutes - remindMinutes) * 60_000 };
  const others = escalate ? [{ kind: 'escalated' as const, at: began + escalate.afterMinutes * 60_000 }] : [];
  return [...others, ...(remindMinutes < expireMinutes && remindMinutes > 0 ? [reminder] : [])];
}

function nextCall(calls: readonly Call[], called: Run['called']): number | undefined {
  const left = calls.filter(({ kind }) => !called.includes(kind)).map(({ at }) => at);
  return left.length > 0 ? Math.min(...left) : undefined;
}

/** When a plan that begins to await approval now must be looked at first; undefined where only its expiry is left. */
export function firstCall(terms: Terms, began: number): number | undefined {
  return nextCall(callsOf(terms, began), []);
}

/** Ends a run whose approval lapsed, and makes the calls that are due. */
export async function callApprovers(lap: Lap): Promise<void> {
  const { verdict, expiresAt, called } = lap.run();
  if (verdict?.kind !== 'needs-approval' || expiresAt === undefined) return;
  const now = lap.engine.now();
  if (now >= expiresAt) {
    await lap.save((run) => ({ ...run, state: 'expired' }), [{ kind: 'state', text: 'expired' }]);
    return;
  }
  const calls = callsOf(verdict, expiresAt - verdict.expireMinutes * 60_000);
  const due = calls.filter(({ kind, at }) => at <= now && !called.includes(kind)).map(({ kind }) => kind);
  if (due.length === 0) return;
  const all = [...called, ...due];
  const approvers = due.includes('escalated')
    ? [...verdict.approvers, ...(verdict.escalate?.to ?? [])]
    : verdict.approvers;
  await lap.save(
    (run) => ({ ...run, called: all, verdict: { ...verdict, approvers }, wakeAt: nextCall(calls, all) }),
    due.map((kind) => ({ kind: 'call', text: kind })),
  );
}
