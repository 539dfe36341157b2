import { z } from 'zod';
import { analysisFor, analysisOf, noAnalysis } from '../../core/analysis/template.ts';
import { appEntry, environmentEntry } from '../../core/apps.ts';
import { fault } from '../../core/errors.ts';
import { imageOfApp, shortImage } from '../../core/image.ts';
import { at, isObject, type Json, type JsonObject } from '../../core/json.ts';
import { ProbePath } from '../../core/new-workloads.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { AppRef, appOf, EnvRef, type Place } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { Stage, Weight } from '../../core/rollout.ts';
import type { Settings } from '../../core/settings.ts';
import { Duration, Percentage } from '../../core/values.ts';
import { checkImage } from '../../images/gate.ts';
import { pinnedImage } from '../../images/pinned.ts';
import { attestDecision } from '../images/decision.ts';
import { newNamespacePermissions } from '../kubernetes/new-namespace.ts';
import { findWorkload, refusePaused, templateOf } from '../workloads/find.ts';
import { unstick } from '../workloads/unstick.ts';
import { guardPermissions } from './canary/guards.ts';
import { shiftLimitMs, shiftLimits, shiftSteps } from './canary/kit.ts';
import { planShift } from './canary/plan.ts';
import { runShift } from './canary/run.ts';
import { shiftOf } from './canary/strategy.ts';
import { planChange } from './change.ts';
import { Ports, Replicas, Resources, Strategy, Surge, Variables } from './fields.ts';
import { planFresh } from './fresh/plan.ts';
import { probeThere } from './fresh/probe.ts';
import { madeWhole, newEnvironment } from './new-environment.ts';
import { roll, rollLimits, rollPermissions, rollSteps } from './roll.ts';
import { containerChange, containerOf, containersOf, overlayReplicas, undoOfImage } from './workload.ts';

const Image = z
  .string()
  .min(1)
  .max(512)
  .describe('An image: v2, web:v2, or host/web:v2')
  .meta({ examples: ['web:v2'] });

const Input = z.strictObject({
  app: AppRef,
  env: EnvRef,
  tag: z.string().max(128).optional().describe('A tag of the app’s own repository'),
  image: Image.optional(),
  replicas: Replicas.optional(),
  ports: Ports.optional(),
  probe: ProbePath.optional().describe('A path of a new workload’s first port that answers 200 once it is ready'),
  variables: Variables.optional(),
  resources: Resources.optional(),
  strategy: Strategy.optional(),
  weights: z.array(Weight).min(1).max(20).optional().describe('Shares of the traffic, one after the other'),
  bake: Duration.optional().describe('How long each share is watched'),
  keep: Duration.optional().describe('How long blue is kept after the switch'),
  steps: z.array(Stage).min(1).max(20).optional(),
  canaryWeight: Percentage.optional(),
  maxSurge: Surge.optional().describe('How many pods may come besides, as a number or a percentage'),
  maxUnavailable: Surge.optional().describe('How many pods may be missing, as a number or a percentage'),
});
type Input = z.output<typeof Input>;

function changeOf(input: Input, container: string, fields: { image: string }): JsonObject {
  const env = input.variables && Object.entries(input.variables).map(([name, value]) => ({ name, value }));
  const ports = input.ports?.map((containerPort) => ({ containerPort, protocol: 'TCP' }));
  const resources: Json | undefined = input.resources && JSON.parse(JSON.stringify(input.resources));
  const change = overlayReplicas(containerChange(container, { ...fields, env, ports, resources }), input.replicas);
  const { maxSurge, maxUnavailable } = input;
  if (maxSurge === undefined && maxUnavailable === undefined) return change;
  const rollingUpdate = {
    ...(maxSurge !== undefined && { maxSurge }),
    ...(maxUnavailable !== undefined && { maxUnavailable }),
  };
  return {
    ...change,
    spec: { ...(isObject(change.spec) ? change.spec : {}), strategy: { type: 'RollingUpdate', rollingUpdate } },
  };
}

/** What judges the app's canaries here, where anything does. */
function analysisIn(settings: Settings, { app, env }: Place, measured: boolean) {
  const name = analysisFor(appEntry(settings, app)?.its, environmentEntry(settings, env)?.its, measured);
  if (name === undefined || name === noAnalysis) return undefined;
  const template = analysisOf(settings.analyses, name);
  // A pattern's `{app}-checks` is known to be there only now; a canary that nothing judges was not asked for.
  if (!template)
    throw fault('UNKNOWN_ANALYSIS', { name, app, known: Object.keys(settings.analyses).join(', ') || 'none' });
  return { name, template };
}

async function plan(
  context: PlanContext<'kube' | 'registry' | 'metrics' | 'attachments' | 'signing'>,
  input: Input,
): Promise<Draft> {
  const { on, place, settings, now, signal } = context;
  if (input.image === undefined && input.tag === undefined)
    throw fault('BAD_INPUT', { problem: `deploy: which image? Write /deploy ${input.app}:TAG ${input.env}.` });
  const app = appOf(settings, place.app);
  const reference = imageOfApp(place.app, app, input);
  const kube = on.kube(place.cluster);
  const [digest, found, made] = await Promise.all([
    on.registry.resolve(reference, place.app, signal),
    findWorkload(kube, place, signal),
    newEnvironment(kube, settings, place, signal),
  ]);
  const live = found && templateOf(found).live;
  if (found) refusePaused(found, place);
  if (place.kind === 'DaemonSet' && input.replicas !== undefined)
    throw fault('BAD_INPUT', {
      problem: `${place.app} is a DaemonSet: it runs one pod a node, and takes no replicas.`,
    });
  if (place.kind === 'Rollout' && !live)
    throw fault('BAD_INPUT', {
      problem: `${place.app} is an Argo Rollout, and its strategy is not Shipmate’s to choose: create it first.`,
    });
  const pinned = reference.includes('@') ? reference : `${reference}@${digest}`;
  const container = containerOf(place, live);
  const probed = live ? probeThere(place, live, container, input.probe) : [];
  const change = changeOf(input, container, { image: pinned });
  const fresh = { ...input, container, image: pinnedImage(reference, digest) };
  const [ofImage, { planned: own, after }, stuck] = await Promise.all([
    checkImage(context, reference, digest),
    found ? planChange(kube, found, change, signal) : planFresh(context, fresh, change, made),
    found && unstick(kube, found, now(), signal),
  ]);
  const running = at(live && containersOf(live).find(({ name }) => name === container), 'image');
  const next = shortImage(reference);
  const here = environmentEntry(settings, place.env)?.its;
  const rollout = app.rollout ?? here?.rollout;
  const planned = madeWhole(made, own);
  // What goes its own way is not shifted besides, unless somebody asks for that very thing: then it is said why not.
  const goesItsWay = found?.ref.kind === 'Rollout' && input.strategy === undefined;
  const shift = found && !goesItsWay && own.changes.length > 0 ? shiftOf(input, rollout) : undefined;
  const wanted = { after, settings: rollout, here, analysis: analysisIn(settings, place, on.metrics.configured) };
  const shifted = found && shift && (await planShift(kube, place, found, { ...wanted, shift }, signal));
  const warnings = [...probed, ...ofImage, ...(planned.warnings ?? []), ...(shifted?.warnings ?? [])];
  const how = shift ? `, ${shift.strategy}` : '';
  return {
    summary:
      typeof running === 'string'
        ? `${shortImage(running)} → ${next}${how}`
        : `${next}, new in ${place.env}${made && !made.isThere ? ', which is made' : ''}`,
    ...planned,
    checklist: [...rollSteps],
    changes: [...planned.changes, ...(stuck?.changes ?? [])],
    ...(stuck?.writes && { writes: [...(planned.writes ?? []), ...stuck.writes] }),
    ...(shifted && {
      ...shifted,
      writes: [...(planned.writes ?? []), ...shifted.writes],
      changes: [...planned.changes, ...shifted.changes],
    }),
    image: { reference, digest },
    ...(warnings.length > 0 && { warnings }),
    ...(found &&
      typeof running === 'string' &&
      (await undoOfImage(kube, place, { homes: app, found, image: running }, signal))),
  };
}

const RolloutRequest = z.object({
  namespace: EnvRef,
  name: AppRef,
  image: Image,
  strategy: Strategy.optional(),
  canaryWeight: Percentage.optional(),
  weights: Input.shape.weights,
  bake: Input.shape.bake,
  keep: Input.shape.keep,
  steps: Input.shape.steps,
  maxSurge: Input.shape.maxSurge,
  maxUnavailable: Input.shape.maxUnavailable,
});

export const deploy = defineOperation({
  name: 'deploy',
  summary: 'Roll out an image of an app',
  effect: 'change',
  input: Input,
  usage:
    '<app>[:<tag>] to <env> [image=<image>] [strategy=<strategy>] [weights=<weights>] [bake=<bake>] [ports=<ports>] [probe=<probe>]',
  command: '/deploy',
  examples: [
    'web:v2 production',
    'web:v2 production strategy=canary weights=10,25,50,100 bake=5m',
    'web:v1 staging ports=8080 probe=/healthz',
    'web to staging image=registry.example.com/web:v2',
  ],
  routes: [
    route({
      method: 'POST',
      path: '/deployments',
      summary: 'Create or update a deployment',
      request: z.object({
        name: AppRef,
        namespace: EnvRef,
        image: Image,
        replicas: Replicas.optional(),
        ports: Ports.optional(),
        probe: Input.shape.probe,
        env: Variables.optional(),
        resources: Resources.optional(),
      }),
      input: ({ name, namespace, env, ...rest }) => ({ app: name, env: namespace, variables: env, ...rest }),
    }),
    route({
      method: 'PUT',
      path: '/deployments/:namespace/:name/rollout',
      summary: 'Roll out another image',
      request: RolloutRequest,
      input: ({ name, namespace, ...rest }) => ({ app: name, env: namespace, ...rest }),
    }),
  ],
  needs: ['kube', 'registry', 'metrics', 'hooks', 'attachments', 'signing', 'runs'],
  permissions: [
    ...rollPermissions,
    ...newNamespacePermissions,
    'create deployments.apps,statefulsets.apps,daemonsets.apps',
    'delete deployments.apps',
    'list limitranges',
    'list controllerrevisions.apps',
    'get,list,create,patch,delete services,virtualservices.networking.istio.io',
    'get,list,patch httproutes.gateway.networking.k8s.io',
    'watch virtualservices.networking.istio.io,httproutes.gateway.networking.k8s.io',
    ...guardPermissions,
    'get cronjobs.batch',
    'get,create jobs.batch',
    'list,watch endpointslices.discovery.k8s.io',
    'get services/proxy',
    'get,list,patch horizontalpodautoscalers.autoscaling,scaledobjects.keda.sh',
  ],
  steps: ['attest', ...rollSteps, ...shiftSteps],
  limits: { run: shiftLimitMs, steps: { ...rollLimits.steps, ...shiftLimits } },
  steered: ({ rollout }) => rollout !== undefined,
  target: ({ app, env }) => ({ app, env }),
  plan,
  run: async (run) => {
    await attestDecision(run);
    return await (run.plan.rollout ? runShift(run) : roll(run));
  },
});
