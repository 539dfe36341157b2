import type { AppSettings } from './app-settings.ts';
import { fault } from './errors.ts';
import { type Blank, filledIn, fitsName, isPattern, nameBehind, nearestTo } from './name-pattern.ts';
import type { EnvironmentSettings, Settings } from './settings.ts';

/** What a name goes by in `shipmate.yaml`: `key` is its own entry, or the pattern that covers it. */
export type Entry<Its> = { key: string; its: Its };

type Apps = Pick<Settings, 'apps'>;
type Environments = Pick<Settings, 'environments'>;

function entryOf<Its>(all: Record<string, Its>, blank: Blank, name: string): Entry<Its> | undefined {
  const nearest = nearestTo(all, name);
  const its = nearest.kind === 'one' ? all[nearest.key] : undefined;
  if (nearest.kind !== 'one' || its === undefined) return undefined;
  // What is written out is meant as it is written: a command of it may say ${env}, and mean the shell's.
  return { key: nearest.key, its: isPattern(nearest.key) ? filledIn(its, blank, name) : its };
}

/** Whose new version something stands beside while that is judged, by its name; undefined where it is no such name. */
export const stableBeside = (name: string): string | undefined => /^(.+)-(?:canary|baseline)$/.exec(name)?.[1];

/** Names of what stands beside an app while a new version of it is judged: no pattern makes an app of those. */
export const isBeside = (name: string): boolean => stableBeside(name) !== undefined;

/** An app by its name, with the name in its fields; none where two patterns cover it and neither is nearer. */
export function appEntry({ apps }: Apps, name: string): Entry<AppSettings> | undefined {
  const entry = entryOf(apps, '{app}', name);
  return entry?.key !== name && isBeside(name) ? undefined : entry;
}

/** An environment by its name, with the name in its fields; none where two patterns cover it and neither is nearer. */
export const environmentEntry = (
  { environments }: Environments,
  name: string,
): Entry<EnvironmentSettings> | undefined => entryOf(environments, '{env}', name);

/** @throws Fault NAMED_ALIKE where several patterns cover a name and none is nearest */
export function checkNearest(settings: Settings, room: 'apps' | 'environments', name: string): void {
  const nearest = nearestTo(settings[room], name);
  if (nearest.kind !== 'alike') return;
  const patterns = nearest.keys.map((key) => `“${key}”`).join(' and ');
  throw fault('NAMED_ALIKE', { name, room, patterns });
}

const written = (all: Record<string, unknown>): string[] => Object.keys(all).filter((name) => !isPattern(name));

/** Whether an app is written out by name, and no pattern's. */
export const isAppNamed = ({ apps }: Apps, name: string): boolean => Object.hasOwn(apps, name);

/** Whether an environment is written out by name, and no pattern's. */
export const isEnvironmentNamed = ({ environments }: Environments, name: string): boolean =>
  Object.hasOwn(environments, name);

/** The apps that are written out by name; those that patterns cover are only known where something runs. */
export const appNames = ({ apps }: Apps): string[] => written(apps);

/** The environments that are written out by name. */
export const environmentNames = ({ environments }: Environments): string[] => written(environments);

/**
 * The names whose settings make a text of a template: those written out, and those that a pattern covers. What several patterns cover
 * alike is among them: it must not be passed over.
 */
function namesBehind<Its>(
  all: Record<string, Its>,
  blank: Blank,
  textOf: (its: Its, name: string) => string | undefined,
  text: string,
): string[] {
  const found = new Set<string>();
  // Asked of each workload of a namespace, with each app that is written out: most are not it, and that is to be cheap.
  for (const key of Object.keys(all)) {
    const its = all[key];
    const template = its === undefined ? undefined : textOf(its, isPattern(key) ? blank : key);
    if (template === undefined) continue;
    if (!isPattern(key)) {
      if (template === text) found.add(key);
      continue;
    }
    const name = nameBehind(template, blank, text);
    if (name !== undefined && fitsName(key, name) && isNearest(all, key, name)) found.add(name);
  }
  return [...found];
}

function isNearest(all: Record<string, unknown>, key: string, name: string): boolean {
  const nearest = nearestTo(all, name);
  return nearest.kind === 'alike' ? nearest.keys.includes(key) : nearest.kind === 'one' && nearest.key === key;
}

/** The apps whose settings say just this text: of which workload it is, say. `textOf` gets the app's name, or the blank for it. */
export const appsBehind = (
  { apps }: Apps,
  textOf: (its: AppSettings, name: string) => string | undefined,
  text: string,
): string[] => namesBehind(apps, '{app}', textOf, text).filter((name) => isAppNamed({ apps }, name) || !isBeside(name));

/** The apps whose own repository it is. */
export const appsOfRepository = (settings: Apps, repository: string): string[] =>
  appsBehind(settings, ({ image }) => image, repository);

/** The environments that stand for a namespace, in whatever cluster. */
export const environmentsBehind = ({ environments }: Environments, namespace: string): string[] =>
  namesBehind(environments, '{env}', (its) => its.namespace, namespace);
