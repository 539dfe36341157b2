import { appNames } from '../../core/apps.ts';
import { Fault, fault } from '../../core/errors.ts';
import { fewAtATime } from '../../core/few-at-a-time.ts';
import { didYouMean } from '../../core/near.ts';
import { discoverIn } from './discover.ts';
import { type Asking, type SharedSite, sitesOf } from './sites.ts';

/** What a name is that a pattern makes an app of, as it does of any other: what runs says. `near` is ` Did you mean “web”?` or nothing. */
export type Meant = { kind: 'runs'; env: string } | { kind: 'environment' } | { kind: 'nothing'; near: string };

/** So many namespaces are asked at a time. */
const together = 8;

async function appsIn(asking: Asking, site: SharedSite): Promise<string[]> {
  try {
    return (await discoverIn(asking, site)).flatMap((seen) => (seen.state === 'unknown' ? [] : [seen.app]));
  } catch (thrown) {
    // It is about a name that may be mistyped: one cluster that is away must not keep that back.
    if (thrown instanceof Fault) return [];
    throw thrown;
  }
}

/** Looks in all environments for what somebody means by the name of an app that isn't written out. */
export async function meantBy(asking: Asking, name: string): Promise<Meant> {
  const { sites } = await sitesOf(asking);
  const seen = await fewAtATime(sites, together, async (site) => ({ site, apps: await appsIn(asking, site) }));
  const at = seen.find(({ apps }) => apps.includes(name));
  if (at) return { kind: 'runs', env: at.site.env };
  if (sites.some(({ envs }) => envs.includes(name))) return { kind: 'environment' };
  return {
    kind: 'nothing',
    near: didYouMean(name, [...appNames(asking.settings), ...seen.flatMap(({ apps }) => apps)]),
  };
}

/** What is said where an environment was named for an app. */
export const isAnEnvironment = (name: string): Fault =>
  fault('BAD_INPUT', { problem: `${name} is an environment: /ship status in ${name}` });
