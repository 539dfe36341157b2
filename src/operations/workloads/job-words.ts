import { at, isObject, type Json, type JsonObject } from '../../core/json.ts';
import { spanText } from '../../core/moments.ts';

const listOf = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
const time = (value: Json | undefined) => (typeof value === 'string' ? Date.parse(value) : Number.NaN);

const holds = (job: JsonObject, type: string) =>
  listOf(at(job, 'status', 'conditions')).find((condition) => condition.type === type && condition.status === 'True');

/** A Job's state: `complete`, `failed`, `suspended`, `running`, `waiting`. */
export function jobState(job: JsonObject): string {
  if (holds(job, 'Complete')) return 'complete';
  if (holds(job, 'Failed')) return 'failed';
  if (at(job, 'spec', 'suspend') === true) return 'suspended';
  return Number(at(job, 'status', 'active') ?? 0) > 0 ? 'running' : 'waiting';
}

/** How long a Job took; empty while it has not ended. */
export function jobSpan(job: JsonObject): string {
  const end = at(job, 'status', 'completionTime') ?? holds(job, 'Failed')?.lastTransitionTime;
  const ms = time(end) - time(at(job, 'status', 'startTime'));
  return Number.isNaN(ms) ? '' : spanText(ms);
}

/** `2026-11-25 02:00`, in UTC. */
export const minuteText = (value: Json | undefined): string =>
  typeof value === 'string' ? value.slice(0, 16).replace('T', ' ') : '';

/** How a Job or CronJob stands, in a sentence. */
export function jobNote(object: JsonObject, trouble: string | undefined): string {
  const of = (field: string) => Number(at(object, 'status', field) ?? 0);
  if (object.kind === 'CronJob') {
    const last = minuteText(at(object, 'status', 'lastScheduleTime')) || 'never';
    const rests = at(object, 'spec', 'suspend') === true ? ' It is suspended.' : '';
    const active = listOf(at(object, 'status', 'active')).length;
    return `Runs at “${String(at(object, 'spec', 'schedule'))}”, last ${last}; ${active} active now.${rests}`;
  }
  const state = jobState(object);
  const took = jobSpan(object) === '' ? '' : ` after ${jobSpan(object)}`;
  const why = holds(object, 'Failed')?.message;
  const counts = `${of('succeeded')} succeeded, ${of('failed')} failed, ${of('active')} active.`;
  const reason = state === 'complete' ? '' : (trouble ?? (typeof why === 'string' ? why : ''));
  return `It is ${state}${took}: ${counts} ${reason}`.trim();
}
