import { appEntry, appNames } from '../core/apps.ts';
import { type Fault, toFault } from '../core/errors.ts';
import { at, text } from '../core/json.ts';
import { knownKind } from '../core/kinds.ts';
import { didYouMean } from '../core/near.ts';
import { appsOfWorkload, type Place } from '../core/place.ts';
import type { Run } from '../core/run.ts';
import { clientsFor } from './identity.ts';
import type { Lap } from './lap.ts';

/** Whether the image was looked for by the app's name, and not by one of its own: `nginx:1.29`, `registry.example.com/team/web:v1`. */
const isByName = ({ image }: Run['input'], home: string | undefined, { message }: Fault): boolean =>
  home !== undefined && message.includes(` ${home}:`) && !(typeof image === 'string' && image.includes('/'));

/** What is said of an app that there is nothing of. Where it has something, the name was not mistyped. */
const ofNothing = (problem: Fault, { input }: Run, home: string | undefined): boolean =>
  problem.code === 'NOT_DEPLOYED' ||
  (problem.code === 'IMAGE_NOT_FOUND' &&
    !/ (It has|Did you mean) /.test(problem.message) &&
    isByName(input, home, problem));

/** The apps that run where it was asked for, as whoever asked may see them. */
async function appsThere(lap: Lap, { kind, cluster, namespace }: Place): Promise<string[]> {
  const kube = clientsFor(lap.engine, lap.run()).kube(cluster);
  const ref = { apiVersion: knownKind(kind)?.apiVersion ?? 'apps/v1', kind, namespace };
  try {
    const objects = await kube.list(ref, lap.signal);
    return objects.flatMap((object) =>
      appsOfWorkload(lap.engine.settings(), kind, text(at(object, 'metadata', 'name'))),
    );
  } catch (thrown) {
    // It is about more than the fault that is told of: that one must not be lost.
    lap.engine.log.warn({ runId: lap.run().id, problem: toFault(thrown).message }, 'no apps to name a near one of');
    return [];
  }
}

/**
 * ` Did you mean “web”?`: where a pattern covers all names a mistyped one is an app as well, and only here is it seen that there is
 * nothing of it.
 */
export async function nearApp(lap: Lap, problem: Fault): Promise<string> {
  const { place } = lap.run();
  const settings = lap.engine.settings();
  const entry = place && appEntry(settings, place.app);
  if (!place || !entry || entry.key === place.app || !ofNothing(problem, lap.run(), entry.its.image)) return '';
  const known = [...new Set([...appNames(settings), ...(await appsThere(lap, place))])];
  return known.includes(place.app) ? '' : didYouMean(place.app, known);
}
