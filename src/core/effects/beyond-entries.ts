import { type JsonObject, text } from '../json.ts';
import { baselinePart, baselinePod, mounts } from './baseline-checks.ts';
import type { Checks } from './pod-check.ts';
import { type Part, partsIn } from './pod-parts.ts';
import { bitsOf, fieldsOf } from './pod-runs.ts';
import { restrictedContainer, restrictedPod } from './restricted-checks.ts';

/** One thing that goes beyond a level, and where. Words are made last: what is compared are these. */
export type Entry = {
  place: string;
  who: string;
  check: string;
  value: string;
  say: (values: readonly string[]) => string;
  /** What it is only said of: where that is new as well, that says it. */
  because?: Entry;
};

const found = (part: Part, checks: Checks): Entry[] =>
  Object.entries(checks).flatMap(([check, { find, say }]) =>
    find(part).map((value) => ({ place: part.place, who: part.who, check, value, say })),
  );

function asked(part: Part, level: 'baseline' | 'restricted'): Entry[] {
  const { is, whole } = part;
  const restricted = level === 'restricted' && whole;
  return [
    ...found(part, baselinePart),
    ...(is === 'container' ? [] : found(part, baselinePod)),
    ...(is === 'pod' ? [] : found(part, mounts)),
    ...(restricted && is === 'container' ? found(part, restrictedContainer) : []),
    ...(restricted && is === 'pod' ? found(part, restrictedPod) : []),
  ];
}

/** Whether something runs there, as far as can be seen. */
const runs = ({ is, own }: Part) => is === 'container' || (is === 'other' && text(own.image) !== '');

type Judged = { part: Part; own: readonly Entry[] };

/** All that has one pod; what is in none that can be seen may be in any. */
const groupOf = ({ whole, pod }: Part): JsonObject | undefined => (whole ? pod : undefined);

/** Why all that runs in one pod has more than the level takes, not one container of it alone. */
function sharedReason(judged: readonly Judged[]): Entry | undefined {
  return judged.flatMap(({ part: { is, pod }, own }) => {
    // A path of the node is had by who mounts it.
    if (is === 'pod') return own.filter(({ check }) => check !== 'hostPath');
    return is === 'other' || pod.shareProcessNamespace === true ? own : [];
  })[0];
}

/** In a part that has more than the level takes, what it runs, and what it is held back by, counts as well. */
function exposed({ part, own }: Judged, shared: Entry | undefined): Entry[] {
  const because = own[0] ?? (runs(part) ? shared : undefined);
  if (!because || part.is === 'pod') return [];
  const whose = because.place === part.place ? '' : `${because.who} `;
  const say = (bits: readonly string[]) =>
    `changes what it runs (${fieldsOf(bits)}) and ${whose}${because.say([because.value])}`;
  return [
    ...bitsOf(part).map((value) => ({ place: part.place, who: part.who, check: 'runs', value, say, because })),
    ...(part.is === 'container' ? found(part, restrictedContainer).map((entry) => ({ ...entry, because })) : []),
  ];
}

/** All of an object that goes beyond a level, with what runs there. */
export function entriesOf(object: JsonObject | undefined, level: 'baseline' | 'restricted'): Entry[] {
  const all = partsIn(object).map((part): Judged => ({ part, own: asked(part, level) }));
  const groups = Map.groupBy(all, ({ part }) => groupOf(part));
  const shared = new Map([...groups].map(([group, judged]) => [group, sharedReason(judged)] as const));
  return all.flatMap((judged) => [...judged.own, ...exposed(judged, shared.get(groupOf(judged.part)))]);
}
