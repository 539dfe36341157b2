import { fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import type { PlanContext } from '../../core/operation.ts';
import { stateOf } from './facts.ts';
import { findPods, type Wanted } from './find.ts';
import { chosenContainers } from './log-sources.ts';
import { nameIn } from './raw.ts';
import { podNamed } from './subject.ts';

export const uidOf = (object: JsonObject | undefined): string => text(at(object, 'metadata', 'uid'));

type Context = Pick<PlanContext<'kube'>, 'on' | 'place' | 'site' | 'signal' | 'now'>;

const noPod = (what: string, where: string) =>
  fault('NO_SUCH_OBJECT', { kind: 'Pod', name: what, where, near: ' None of its pods is there now.' });

/** The pod that is meant; of several alike, the first that is ready, or the first. @throws Fault NO_SUCH_OBJECT */
export async function anyPod(context: Context, wanted: Wanted & { app: string }): Promise<JsonObject> {
  const { pods } = await findPods(context, wanted);
  const alive = pods.filter((pod) => at(pod, 'metadata', 'deletionTimestamp') === undefined);
  const found = alive.find((pod) => stateOf(pod, context.now()).words === 'ready') ?? alive[0];
  if (!found) throw noPod(wanted.pod ?? wanted.app, context.site.namespace);
  return found;
}

/** The one pod that is meant. @throws Fault BAD_INPUT, naming them, where there are several */
export async function onePod(context: Context, wanted: Wanted & { app: string }): Promise<JsonObject> {
  const { pods } = await findPods(context, wanted);
  const [only, ...others] = pods;
  if (!only) throw noPod(wanted.pod ?? wanted.app, context.site.namespace);
  if (others.length === 0) return only;
  const names = pods.slice(0, 20).map(nameIn).join(', ');
  throw fault('BAD_INPUT', { problem: `${wanted.app} has ${pods.length} pods; say which: pod=NAME, one of ${names}.` });
}

/** The one container that is meant. @throws Fault NO_SUCH_OBJECT */
export function oneContainer(
  context: { readonly place: { container: string } },
  pod: JsonObject,
  { app, container }: { app: string; container?: string | undefined },
): string {
  const appContainer = podNamed(app) === undefined ? context.place.container : undefined;
  const [found = ''] = chosenContainers(pod, { container: container === 'all' ? undefined : container, appContainer });
  return found;
}
