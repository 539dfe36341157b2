import { isPattern, NameOrPattern, nearestTo, overlap } from '../core/name-pattern.ts';
import { didYouMean } from '../core/near.ts';
import type { Settings } from '../core/settings.ts';

/** Something wrong with `shipmate.yaml`, and where: the path into it. */
export type SettingsFault = { path: readonly PropertyKey[]; problem: string };

/** Names that nothing bears, each with the nearest that something does. */
export function unknownNames(
  names: readonly string[],
  known: readonly string[],
  kind: string,
  path: readonly PropertyKey[],
): SettingsFault[] {
  return names.flatMap((name, index) =>
    known.includes(name)
      ? []
      : [{ path: [...path, index], problem: `there is no ${kind} “${name}”.${didYouMean(name, known)}` }],
  );
}

/** What lists of apps or environments may hold: names that there are, and patterns that are for any of them. */
export function unknownPatterns(
  names: readonly string[],
  all: Record<string, unknown>,
  kind: string,
  path: readonly PropertyKey[],
): SettingsFault[] {
  const known = Object.keys(all);
  return names.flatMap((name, index) => {
    // What no name can fit would never hold, and nobody would know.
    const malformed = NameOrPattern.safeParse(name).error?.issues.map(({ message }) => message);
    if (!malformed && (name === '*' || known.some((each) => overlap(each, name)))) return [];
    const problem = malformed ? `“${name}” ${malformed.join(', ')}.` : `there is no ${kind} “${name}”.`;
    return [{ path: [...path, index], problem: `${problem}${didYouMean(name, known)}` }];
  });
}

/** What names one environment each: written out, or covered by a pattern; a pattern itself is not one. */
export function unknownEnvironments(
  names: readonly string[],
  environments: Settings['environments'],
  path: readonly PropertyKey[],
): SettingsFault[] {
  const known = Object.keys(environments);
  const fits = (name: string) => !isPattern(name) && nearestTo(environments, name).kind !== 'none';
  const near = (name: string) =>
    didYouMean(
      name,
      known.filter((each) => !isPattern(each)),
    );
  return names.flatMap((name, index) =>
    fits(name) ? [] : [{ path: [...path, index], problem: `there is no environment “${name}”.${near(name)}` }],
  );
}
