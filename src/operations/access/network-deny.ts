import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, type JsonObject } from '../../core/json.ts';
import { refOf } from '../../core/kube.ts';
import { didYouMean } from '../../core/near.ts';
import { type Direction, isolating } from '../../core/network-reach.ts';
import { defineOperation, type PlanContext } from '../../core/operation.ts';
import { isOurs } from '../../core/ours.ts';
import { EnvRef, siteCalled, WorkloadRef } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { missing, planWrites, runWrites, type Wish, writeSteps } from '../kubernetes/writes.ts';
import { cniNote, endPermissions, PortRef, Protocol, partyOf, policiesOf, SourceRef } from './network-ends.ts';
import { allowName, closed, defaultDeny, isolationChange, openPods } from './own-policies.ts';

const Input = z.strictObject({
  from: SourceRef.optional(),
  to: WorkloadRef.optional().describe('Whose pods: an app, or a workload as KIND/NAME'),
  env: EnvRef,
  port: PortRef.optional(),
  protocol: Protocol.default('TCP'),
  fromEnv: EnvRef.optional().describe('The environment of the app it comes from, where it is another one'),
  direction: z
    .enum(['ingress', 'egress', 'both'])
    .default('ingress')
    .describe('What the namespace may not: take, send, or both'),
  lift: z.boolean().default(false).describe('Take the denial away again'),
});
type Input = z.output<typeof Input>;

const nameOf = (policy: JsonObject) => String(at(policy, 'metadata', 'name'));
const sides = (direction: Input['direction']): Direction[] =>
  direction === 'both' ? ['ingress', 'egress'] : [direction];

/** Takes back what was allowed. Pods that nothing would isolate any more stay shut: to deny never opens anything. */
async function planTakeBack(context: PlanContext<'kube'>, input: Input & { from: string; to: string }): Promise<Draft> {
  const { on, settings, site, signal } = context;
  const kube = on.kube(site.cluster);
  const { from, to: app, env, port, protocol, fromEnv } = input;
  const [to, policies] = await Promise.all([
    partyOf(kube, settings, { app, env }, signal),
    policiesOf(kube, site.namespace, signal),
  ]);
  const other = fromEnv === undefined ? site : siteCalled(settings, fromEnv);
  const fromNamespace = other.namespace === site.namespace ? undefined : other.namespace;
  const name = allowName({ from, to: app, fromNamespace, port, protocol });
  const live = policies.find((policy) => nameOf(policy) === name);
  const own = policies.filter(isOurs).map(nameOf);
  const ref = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', namespace: site.namespace, name };
  if (!live) throw missing(ref, didYouMean(name, own));
  if (!isOurs(live)) throw fault('NOT_OURS', { kind: 'NetworkPolicy', name });
  const rest = policies.filter((policy) => policy !== live);
  const shut = closed(site.namespace, app, to.selector);
  const keep: Wish[] = isolating(rest, to.end, 'ingress').length > 0 ? [] : [{ kind: 'apply', manifest: shut }];
  const planned = await planWrites(kube, [...keep, { kind: 'remove', ref }], signal);
  const undone = { from, to: app, env, protocol, ...(port !== undefined && { port }) };
  return {
    summary: `${from} → ${to.place.app}: not allowed any more${keep.length > 0 ? `; ${to.place.app} stays shut` : ''}`,
    ...planned,
    undo: { operation: 'network-allow', input: { ...undone, ...(fromEnv !== undefined && { fromEnv }) } },
  };
}

/** Shuts one workload, or opens it again. */
async function planShut(context: PlanContext<'kube'>, { to: app = '', env, lift }: Input): Promise<Draft> {
  const { on, settings, site, signal } = context;
  const kube = on.kube(site.cluster);
  const [to, policies] = await Promise.all([
    partyOf(kube, settings, { app, env }, signal),
    policiesOf(kube, site.namespace, signal),
  ]);
  const manifest = closed(site.namespace, app, to.selector);
  const others = policies.filter((policy) => nameOf(policy) !== nameOf(manifest));
  const wish: Wish = lift ? { kind: 'remove', ref: refOf(manifest) } : { kind: 'apply', manifest };
  const planned = await planWrites(kube, [wish], signal);
  const isolation = isolationChange(to, policies, lift ? others : [...others, manifest]);
  return {
    summary: lift ? `${app}: takes what it took before` : `${app}: takes only what policies allow`,
    ...planned,
    changes: [...planned.changes, ...isolation],
    undo: { operation: 'network-deny', input: { to: app, env, lift: !lift } },
  };
}

/** Shuts a whole namespace, or opens it again. */
async function planDefault({ on, site, signal }: PlanContext<'kube'>, { direction, lift }: Input): Promise<Draft> {
  const kube = on.kube(site.cluster);
  const { namespace } = site;
  const [pods, policies] = await Promise.all([
    kube.look('Pod', namespace, signal),
    policiesOf(kube, namespace, signal),
  ]);
  const manifests = sides(direction).flatMap((side) => defaultDeny(namespace, side));
  const wishes = manifests.map(
    (manifest): Wish => (lift ? { kind: 'remove', ref: refOf(manifest) } : { kind: 'apply', manifest }),
  );
  const planned = await planWrites(kube, wishes, signal);
  const open = Math.max(...sides(direction).map((side) => openPods(pods.objects, policies, side)));
  const struck = `${open} of ${pods.objects.length} pods, which nothing held back before, are shut off but for what policies allow`;
  return {
    summary: lift ? `${namespace}: the default denial is lifted` : `${namespace}: ${struck}`,
    ...planned,
    undo: { operation: 'network-deny', input: { env: site.env, direction, lift: !lift } },
  };
}

function plan(context: PlanContext<'kube'>, input: Input): Promise<Draft> {
  const { from, to, lift } = input;
  if (from !== undefined && to !== undefined && !lift) return planTakeBack(context, { ...input, from, to });
  if (from !== undefined)
    throw fault('BAD_INPUT', {
      problem: lift ? 'What was taken back is allowed anew with “network allow”.' : 'Say to whom as well: FROM to APP.',
    });
  return to === undefined ? planDefault(context, input) : planShut(context, input);
}

export const networkDeny = defineOperation({
  name: 'network-deny',
  summary: 'Shut off a namespace or an app, but for what is allowed; or take back what was allowed',
  effect: 'change',
  input: Input,
  usage: '[<from>] [to <to>] in <env> [port=<port>] [fromEnv=<fromEnv>] [direction=<direction>] [lift=<lift>]',
  examples: ['in staging', 'to web in staging', 'api to web in staging port=8080', 'in staging lift=yes'],
  needs: ['kube'],
  permissions: [...endPermissions, 'get,create,patch,delete networkpolicies.networking.k8s.io'],
  steps: writeSteps,
  target: ({ to, env }) => ({ env, ...(to !== undefined && { app: to }) }),
  plan,
  run: (run) => runWrites(run, cniNote),
});
