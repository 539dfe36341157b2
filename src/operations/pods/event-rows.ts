import { at, type JsonObject, text } from '../../core/json.ts';
import { spanText } from '../../core/moments.ts';
import { momentIn, number } from './raw.ts';

/** What happened, as often as it did; `at` is when it was last seen. */
export type Happening = {
  at: number;
  count: number;
  warning: boolean;
  object: string;
  reason: string;
  message: string;
};

/** What an event is about, as `Pod/web-1`. */
export const objectOf = (event: JsonObject): string =>
  `${text(at(event, 'involvedObject', 'kind'))}/${text(at(event, 'involvedObject', 'name'))}`;

/** Events of the core API and of events.k8s.io bear their times and counts in different fields. */
function happening(event: JsonObject): Happening {
  const times = [
    at(event, 'series', 'lastObservedTime'),
    event.lastTimestamp,
    event.eventTime,
    event.firstTimestamp,
    at(event, 'metadata', 'creationTimestamp'),
  ];
  return {
    at: times.map(momentIn).find((ms) => ms !== undefined) ?? 0,
    count: Math.max(1, number(at(event, 'series', 'count')), number(event.count)),
    warning: event.type === 'Warning',
    object: objectOf(event),
    reason: text(event.reason),
    message: text(event.message),
  };
}

/** What happened, oldest first; the same again is counted and not repeated. */
export function happenings(events: readonly JsonObject[]): Happening[] {
  const found = new Map<string, Happening>();
  for (const event of events) {
    const one = happening(event);
    const key = `${one.object} ${one.reason} ${one.message}`;
    const same = found.get(key);
    found.set(key, same ? { ...one, count: same.count + one.count, at: Math.max(same.at, one.at) } : one);
  }
  return [...found.values()].sort((a, b) => a.at - b.at);
}

/** `4 min ago`, with how often where it was more than once. */
export function whenText({ at: when, count }: Happening, now: number): string {
  return `${spanText(Math.max(0, now - when))} ago${count > 1 ? `, ${count} times` : ''}`;
}
