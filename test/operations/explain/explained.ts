import type { JsonObject } from '../../../src/core/json.ts';
import type { Report } from '../../../src/core/report.ts';
import { kubectl } from '../../support/kubectl.ts';
import type { RealDesk } from '../../support/real-desk.ts';

export type Explanation = Extract<Report, { kind: 'explanation' }>;

/** Asks why, and hands back the explanation. @throws Error with what came instead */
export async function ask(desk: RealDesk, what: string, env = 'staging'): Promise<Explanation> {
  const { report, fault } = await desk.done('why', { what, env });
  if (report?.kind !== 'explanation') throw new Error(`${what}: ${JSON.stringify(fault ?? report)}`);
  return report;
}

export const applyAll = (items: readonly JsonObject[]): Promise<string> =>
  kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [...items] }));

/** A text in which `*` stands for anything, as a pattern for the whole. */
export const like = (text: string): RegExp =>
  new RegExp(`^${text.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`, 's');
