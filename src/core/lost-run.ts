import { at, type JsonObject } from './json.ts';
import type { Report } from './report.ts';

/** Where an object says which run changed it last. */
export const runAnnotation = 'shipmate.dev/run';
/** How long the record of a run is kept after its end. */
export const runKeptMs = 30 * 24 * 3_600_000;
/** The cluster's clock and ours may differ, and a record that is about to run out is no loss. */
const marginMs = 24 * 3_600_000;

/** When Shipmate last changed the object, by the API server's own account. */
function changedAt(object: JsonObject): number {
  const entries = at(object, 'metadata', 'managedFields');
  const ours = (Array.isArray(entries) ? entries : []).filter((entry) => at(entry, 'manager') === 'shipmate');
  return Math.max(...ours.map((entry) => Date.parse(String(at(entry, 'time') ?? ''))));
}

/**
 * The run that changed the object last, where its record must still be in the store; undefined where Shipmate never
 * changed it (an annotation alone may be copied), or so long ago that the record may have run out. A run ends after its
 * change: changed 28 days ago, it is kept for 2 more days at least; changed 31 days ago, it may be gone.
 */
export function recordedRun(object: JsonObject, now: number): string | undefined {
  const run = at(object, 'metadata', 'annotations', runAnnotation);
  const recent = now - changedAt(object) < runKeptMs - marginMs;
  return typeof run === 'string' && run !== '' && recent ? run : undefined;
}

/** The runs that a report found to be missing from the store. */
export function lostRuns(report: Report): string[] {
  return report.kind === 'status' ? report.apps.flatMap(({ lostRun }) => lostRun ?? []) : [];
}
