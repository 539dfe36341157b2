import { appEntry } from '../core/apps.ts';
import type { AppObjects } from '../core/effects/app-objects.ts';
import { factsOf, ownOperationsFor, type Touched } from '../core/effects/own-operation.ts';
import { freshImages } from '../core/effects/pod-specs.ts';
import { isImageOfApp } from '../core/image.ts';
import { oneLine } from '../core/one-line.ts';
import type { Settings } from '../core/settings.ts';
import { some } from '../core/some.ts';

const fewOf = (names: readonly string[]): string => some(names.map(oneLine));

/**
 * Images that objects of apps would run and do not yet, and that no deploy of the app would take: a sidecar is often one, so by other
 * routes than a deploy they are not refused, but told of.
 * @returns a line for each app
 */
export function imagesElsewhere(
  settings: Pick<Settings, 'apps'>,
  apps: readonly AppObjects[],
  touched: readonly Touched[],
): string[] {
  const changed = touched.flatMap((each) => {
    const fresh = freshImages(each);
    return fresh.length > 0 ? [{ facts: factsOf(each), fresh }] : [];
  });
  return apps.flatMap((app) => {
    const its = appEntry(settings, app.app)?.its;
    if (!its) return [];
    const deployed = changed.filter(({ facts }) => ownOperationsFor(app, facts).includes('deploy'));
    const others = new Set(deployed.flatMap(({ fresh }) => fresh).filter((image) => !isImageOfApp(its, image)));
    if (others.size === 0) return [];
    const homes = [...(its.image === undefined ? [] : [its.image]), ...(its.images ?? [])];
    return [`Images from elsewhere than ${app.app}’s repositories (${fewOf(homes)}): ${fewOf([...others].sort())}.`];
  });
}
