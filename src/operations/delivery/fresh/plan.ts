import { environmentEntry } from '../../../core/apps.ts';
import { levelOf } from '../../../core/effects/restricted.ts';
import { fault } from '../../../core/errors.ts';
import { at, type Json, type JsonObject } from '../../../core/json.ts';
import { type Kube, refOf } from '../../../core/kube.ts';
import { type NewWorkloads, NewWorkloads as Rules } from '../../../core/new-workloads.ts';
import { list } from '../../../core/observed.ts';
import type { PlanContext } from '../../../core/operation.ts';
import { checkLength } from '../../../core/place.ts';
import { imageUser } from '../../../images/image-user.ts';
import type { PinnedImage } from '../../../images/pinned.ts';
import { foresee } from '../../kubernetes/foresee.ts';
import { nameOf, planApply } from '../../kubernetes/writes.ts';
import { servicesOf } from '../canary/labels.ts';
import { type Foreseen, named } from '../change.ts';
import type { Resources } from '../fields.ts';
import { type NewEnvironment, withWorkload } from '../new-environment.ts';
import { freshWorkload, has, labelsFor, pathsOf, selectorOf, type Wanted } from './manifest.ts';
import { checkName } from './names.ts';
import { checkJoins, checkKind, workloadsIn } from './neighbours.ts';
import { type Security, securityOf } from './security.ts';
import { type Leading, lineOf, serviceFor } from './service.ts';

type Context = Pick<PlanContext<'kube' | 'registry'>, 'on' | 'place' | 'settings' | 'signal'>;

type Asked = {
  container: string;
  image: PinnedImage;
  ports?: readonly number[] | undefined;
  probe?: string | undefined;
  resources?: Resources | undefined;
};

/** A container can be let wait before its end since Kubernetes 1.30; an older API server refuses what it does not know. */
const sleepsSince = 30;

async function sleepsIn(kube: Kube, rules: NewWorkloads, signal: AbortSignal): Promise<boolean> {
  if (!has(rules, 'gracefulEnd') || rules.preStopSeconds === 0) return false;
  const minor = /^v1\.(\d+)/.exec(await kube.version(signal))?.[1];
  return minor === undefined || Number(minor) >= sleepsSince;
}

const fieldsOfLimits = ['default', 'defaultRequest', 'min', 'max', 'maxLimitRequestRatio'];
const namesIn = (amounts: Json | undefined): string[] => Object.keys(Object(amounts ?? {}));

/** The resources that a LimitRange of the namespace speaks of: what it gives a container is for the namespace to say. */
async function limitedIn(
  kube: Kube,
  namespace: string,
  rules: NewWorkloads,
  made: readonly JsonObject[],
  signal: AbortSignal,
) {
  if (!has(rules, 'requests')) return new Set<string>();
  const ranges = await kube.list({ apiVersion: 'v1', kind: 'LimitRange', namespace }, signal);
  const limits = [...ranges, ...made.filter(({ kind }) => kind === 'LimitRange')]
    .flatMap((range) => list(at(range, 'spec', 'limits')))
    .filter(({ type }) => type === 'Container');
  return new Set(limits.flatMap((limit) => fieldsOfLimits.flatMap((field) => namesIn(limit[field]))));
}

/** What its container says of its security: asked of the image only where the answer counts. */
async function securityFor(
  { on, place, settings, signal }: Context,
  rules: NewWorkloads,
  image: PinnedImage,
): Promise<Security> {
  const level = levelOf(settings, place);
  if (level !== 'restricted' && !has(rules, 'securityContext')) return { warnings: [] };
  return securityOf(level, place.env, await imageUser(on.registry, image, signal));
}

/** @throws Fault NAME_TOO_LONG, BAD_INPUT */
function check({ place }: Context, { container, ports, probe }: Asked): void {
  checkName(place);
  checkLength('container', container, place.app);
  if (probe !== undefined && !ports?.length)
    throw fault('BAD_INPUT', {
      problem: `deploy: which port does ${probe} answer on? A probe asks the first of ports: write ports=8080 probe=${probe}.`,
    });
}

/**
 * A workload that is not there yet: with what its environment gives new ones, and with the Service that leads to it. Reads and dry
 * runs only. `environment` is what makes its environment, where that is not all there yet.
 * @throws Fault NAME_TOO_LONG, NAME_OF_OTHER_KIND, SERVICE_ELSEWHERE, SERVICE_OF_ANOTHER, BAD_INPUT
 */
export async function planFresh(
  context: Context,
  asked: Asked,
  change: JsonObject,
  environment?: NewEnvironment,
): Promise<Foreseen> {
  check(context, asked);
  const { on, place, settings, signal } = context;
  const { container, image, ports = [], probe, resources } = asked;
  const rules = environmentEntry(settings, place.env)?.its.newWorkloads ?? Rules.parse({});
  const kube = on.kube(place.cluster);
  const wantsService = has(rules, 'service') && ports.length > 0;
  const [{ securityContext, ...security }, limited, sleeps, services, workloads] = await Promise.all([
    securityFor(context, rules, image),
    limitedIn(kube, place.namespace, rules, environment?.manifests ?? [], signal),
    sleepsIn(kube, rules, signal),
    kube.list({ apiVersion: 'v1', kind: 'Service', namespace: place.namespace }, signal),
    workloadsIn(kube, place.namespace, signal),
  ]);
  checkKind(place, workloads);
  const labels = labelsFor(place, rules);
  const speaksHttp = Object.values(pathsOf({ rules, probe })).length > 0;
  const about = { place, ports, rules, selector: selectorOf(place), pods: labels, labels, speaksHttp };
  const { made, governing, ...service }: Leading = wantsService ? serviceFor(services, about) : { warnings: [] };
  const joins = await checkJoins(
    kube,
    place,
    { rules, services: servicesOf(services, labels), made, workloads },
    signal,
  );
  const known: Wanted = {
    place,
    container,
    rules,
    ports,
    probe,
    resources,
    limited,
    securityContext,
    governing,
    sleeps,
  };
  const manifest = freshWorkload(known, change);
  const warned = [...security.warnings, ...service.warnings, ...joins];
  if (environment && !environment.isThere)
    return withWorkload(environment, [...(made ? [made] : []), manifest], warned);
  const [foreseen, tried] = await Promise.all([
    foresee(kube, { ref: refOf(manifest), wanted: manifest }, () => kube.preview(manifest, signal), signal),
    made && planApply(kube, made, signal),
  ]);
  const { after, takesOver, changes, answer } = foreseen;
  return {
    planned: {
      manifest,
      takesOver,
      // The Service in one line first; what the cluster makes of it stands behind all that is said of the workload.
      changes: [
        ...(made ? [lineOf(made, ports)] : []),
        ...changes,
        ...(tried ? named(nameOf(refOf(tried.write.manifest)), tried.changes) : []),
      ],
      answer,
      ...(tried && { writes: [tried.write] }),
      ...(warned.length > 0 && { warnings: warned }),
    },
    after,
  };
}
