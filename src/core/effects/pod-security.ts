import { at, type JsonObject, text } from '../json.ts';
import { isNamespace, refOf } from '../kube.ts';
import { labelsOf } from '../label-selector.ts';
import { type Entry, entriesOf } from './beyond-entries.ts';
import { partsIn } from './pod-parts.ts';

export const podSecurityLevels = ['privileged', 'baseline', 'restricted'] as const;
export type PodSecurityLevel = (typeof podSecurityLevels)[number];

type Sides = { before?: JsonObject; after?: JsonObject };

function isWithin(path: string, whole: string): boolean {
  const [inner, outer] = [path, whole].map((each) => each.split('/').filter((name) => name !== '' && name !== '.'));
  return !inner?.includes('..') && (outer ?? []).every((name, n) => inner?.[n] === name);
}

/** What has another value and is still no more than there was. */
const covered: Record<string, (is: string, was: string) => boolean> = {
  capabilities: (_is, was) => was === 'ALL',
  kept: (_is, was) => was === 'ALL',
  hostPorts: (is, was) => is.startsWith(`${was}@`),
  hostPath: isWithin,
  mounts: isWithin,
  writes: isWithin,
};

/** What a privileged container has anyway. */
const withPrivileged = [
  'capabilities',
  'appArmor',
  'selinux',
  'procMount',
  'seccomp',
  'escalation',
  'noSeccomp',
  'kept',
];

type Known = { entries: readonly Entry[]; keys: ReadonlySet<string> };

const keyOf = ({ check, value }: Entry): string => `${check} ${value}`;

function isKnown(is: Entry, { entries, keys }: Known): boolean {
  if (keys.has(keyOf(is)) || (withPrivileged.includes(is.check) && keys.has('privileged '))) return true;
  const wider = covered[is.check];
  return wider !== undefined && entries.some((was) => was.check === is.check && wider(is.value, was.value));
}

/** Where the one pod of an object is. */
function podPlace(object: JsonObject): string | undefined {
  const [pod, ...others] = partsIn(object).filter(({ is }) => is === 'pod');
  return others.length === 0 ? pod?.place : undefined;
}

/** What there was, by its place; a Job that is made from a CronJob has the same template in another one. */
function knownIn({ before, after }: Sides, level: 'baseline' | 'restricted'): Map<string, Known> {
  const moved = before && after && before.kind !== after.kind;
  const [from, to] = moved ? [podPlace(before), podPlace(after)] : [];
  const there = (place: string) =>
    from !== undefined && to !== undefined && place.startsWith(from) ? `${to}${place.slice(from.length)}` : place;
  const places = Map.groupBy(entriesOf(before, level), ({ place }) => there(place));
  return new Map(
    [...places].map(([place, entries]) => [place, { entries, keys: new Set(entries.map(keyOf)) }] as const),
  );
}

/** What was there before is nobody's to answer for now. */
function fresh(sides: Sides, level: 'baseline' | 'restricted'): Entry[] {
  const known = knownIn(sides, level);
  const found = entriesOf(sides.after, level).filter((entry) => {
    const there = known.get(entry.place);
    return !there || !isKnown(entry, there);
  });
  const all = new Set(found);
  return found.filter(({ because }) => !because || !all.has(because));
}

function inWords(entries: readonly Entry[]): string[] {
  const alike = Map.groupBy(entries, ({ place, check }) => `${check} ${place}`);
  return [...alike.values()].flatMap((same) => {
    const [first] = same;
    return first ? [`${first.who} ${first.say([...new Set(same.map(({ value }) => value))])}`] : [];
  });
}

const labelled = (object: JsonObject | undefined, name: string): string | undefined =>
  labelsOf(at(object, 'metadata', 'labels'))[`pod-security.kubernetes.io/${name}`];

/** A label that the API server does not understand it takes for the strictest. */
function rank(level: string | undefined): number {
  const known = podSecurityLevels.findIndex((each) => each === (level ?? 'privileged'));
  return known === -1 ? podSecurityLevels.length : known;
}

const age = (version: string): number =>
  version === 'latest' ? Number.POSITIVE_INFINITY : Number(/^v1\.(\d+)$/.exec(version)?.[1] ?? -1);

/** A namespace that would be held to less than it was, or, where it was held to nothing, than the level. */
function loosened({ before, after }: Sides, level: PodSecurityLevel): string[] {
  const [was, is] = [labelled(before, 'enforce'), labelled(after, 'enforce')];
  const [old = 'latest', version = 'latest'] = [
    labelled(before, 'enforce-version'),
    labelled(after, 'enforce-version'),
  ];
  const name = text(at(after, 'metadata', 'name'));
  const least = was === undefined ? rank(level) : rank(was);
  return [
    ...(was !== is && rank(is) < least ? [`the namespace ${name} would hold its pods to ${is ?? 'nothing'}`] : []),
    ...(age(version) < age(old) ? [`the namespace ${name} would hold its pods to what ${version} knew`] : []),
  ];
}

/**
 * What in an object goes beyond a level and did not before: in pods, in whatever makes pods, and in labels of namespaces.
 * @returns each problem in words, none twice
 */
export function beyond(sides: Sides, level: PodSecurityLevel): string[] {
  const { after } = sides;
  const problems = level === 'privileged' ? [] : inWords(fresh(sides, level));
  const namespace = after && isNamespace(refOf(after)) ? loosened(sides, level) : [];
  return [...new Set([...problems, ...namespace])];
}
