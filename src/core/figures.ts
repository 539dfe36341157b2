import type { AuditRecord } from './audit.ts';

/** The four delivery figures of DORA, from the audit log; times in ms, undefined where nothing was there to measure. */
export type Figures = {
  deployments: number;
  perDay: number;
  /** Median from request to done. Shipmate does not know when the code was written, so it is not the whole lead time. */
  leadMs?: number;
  /** Of all deployments, those that failed or were rolled back afterwards. */
  failureRate?: number;
  /** Median from a failure to the next success in the same place. */
  restoreMs?: number;
};

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? undefined : sorted[Math.floor((sorted.length - 1) / 2)];
}

type Ended = { run: string; operation: string; place: string; from: number; to: number; good: boolean };

const ends = new Set(['finished', 'failed', 'timed-out']);

function endedRuns(records: readonly AuditRecord[]): Ended[] {
  const began = new Map<string, number>();
  return records.flatMap(({ kind, run, at, text, operation, app, env, effect }) => {
    if (kind !== 'state' || run === undefined || effect !== 'change' || env === undefined) return [];
    if (text === 'requested') began.set(run, at);
    const [end = ''] = text.split(':');
    if (!ends.has(end)) return [];
    return [{ run, operation, place: `${app}@${env}`, from: began.get(run) ?? at, to: at, good: end === 'finished' }];
  });
}

/** Works out the figures over `days` from records, oldest first, of that time. */
export function figuresOf(records: readonly AuditRecord[], days: number): Figures {
  const ended = endedRuns(records).filter(({ operation }) => operation === 'deploy' || operation === 'rollback');
  const deploys = ended.filter(({ operation }) => operation === 'deploy');
  const after = (from: Ended) => ended.slice(ended.indexOf(from) + 1).filter(({ place }) => place === from.place);
  const bad = deploys.filter((one) => !one.good || (after(one)[0]?.operation === 'rollback' && after(one)[0]?.good));
  const restores = bad.flatMap((one) => {
    const next = after(one).find(({ good }) => good);
    return next ? [next.to - one.to] : [];
  });
  return {
    deployments: deploys.filter(({ good }) => good).length,
    perDay: deploys.filter(({ good }) => good).length / days,
    leadMs: median(deploys.filter(({ good }) => good).map(({ from, to }) => to - from)),
    failureRate: deploys.length === 0 ? undefined : bad.length / deploys.length,
    restoreMs: median(restores),
  };
}
