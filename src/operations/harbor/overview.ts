import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import { number } from '../docker/reading.ts';

/** What Harbor says of an artifact's last scan. */
export type Overview = { status: string; startedAt: string; counts: Record<string, number>; fixable: number };

/** Worst first. */
export const severities = ['Critical', 'High', 'Medium', 'Low', 'Negligible', 'Unknown', 'None'] as const;

/** Of the reports in several forms, the one that there is. */
export function overviewOf({ scan_overview: reports }: JsonObject): Overview | undefined {
  const [report] = isObject(reports) ? Object.values(reports) : [];
  if (!isObject(report)) return undefined;
  const found = at(report, 'summary', 'summary');
  const counts = Object.fromEntries(severities.map((name) => [name, number(at(found, name))]));
  return {
    status: text(report.scan_status),
    startedAt: text(report.start_time),
    counts,
    fixable: number(at(report, 'summary', 'fixable')),
  };
}

export const isUnderWay = ({ status }: Overview): boolean => ['Pending', 'Scheduled', 'Running'].includes(status);

/** `2 critical, 5 high; 4 can be fixed`. */
export function countsText(counts: Record<string, number>, fixable: number): string {
  const found = severities
    .filter((name) => (counts[name] ?? 0) > 0 && name !== 'None')
    .map((name) => `${counts[name]} ${name.toLowerCase()}`);
  if (found.length === 0) return 'nothing found';
  return `${found.join(', ')}${fixable > 0 ? `; ${fixable} can be fixed` : ''}`;
}

export function overviewText(overview: Overview | undefined): string {
  if (!overview) return 'not scanned';
  if (isUnderWay(overview)) return 'under way';
  return overview.status === 'Success' ? countsText(overview.counts, overview.fixable) : overview.status.toLowerCase();
}
