import { z } from 'zod';
import { Block } from '../../core/cidr.ts';
import { fault } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { reach } from '../../core/network-reach.ts';
import { defineOperation, type PlanContext } from '../../core/operation.ts';
import { EnvRef, siteCalled, WorkloadRef } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { planWrites, runWrites, writeSteps } from '../kubernetes/writes.ts';
import {
  cniNote,
  endPermissions,
  namespaceLabel,
  type Party,
  PortRef,
  Protocol,
  partyOf,
  policiesOf,
  portNumber,
  SourceRef,
} from './network-ends.ts';
import { allowName, isolationChange, policy } from './own-policies.ts';

const Input = z.strictObject({
  from: SourceRef,
  to: WorkloadRef.describe('Whose pods may be reached: an app, or a workload as KIND/NAME'),
  env: EnvRef,
  port: PortRef.optional(),
  protocol: Protocol.default('TCP'),
  fromEnv: EnvRef.optional().describe('The environment of the app it comes from, where it is another one'),
  except: z
    .array(Block.describe('A block of addresses'))
    .max(50)
    .optional()
    .describe('Blocks of addresses inside the one allowed that stay shut out'),
});
type Input = z.output<typeof Input>;

/** The peers of the rule; none means from anywhere. `party` where it comes from pods that are known. */
async function sourceOf(
  { on, settings, site, signal }: PlanContext<'kube'>,
  { from, fromEnv, except }: Input,
): Promise<{ peers: Json[]; party?: Party; fromNamespace?: string }> {
  if (except && !Block.safeParse(from).success)
    throw fault('BAD_INPUT', { problem: '“except” goes with a block of addresses, such as 10.0.0.0/8.' });
  if (from === 'anywhere') return { peers: [] };
  if (Block.safeParse(from).success) return { peers: [{ ipBlock: { cidr: from, ...(except && { except }) } }] };
  if (from.startsWith('namespace/'))
    return {
      peers: [{ namespaceSelector: { matchLabels: { [namespaceLabel]: from.slice('namespace/'.length) } } }],
    };
  const other = siteCalled(settings, fromEnv ?? site.env);
  if (other.cluster !== site.cluster)
    throw fault('BAD_INPUT', { problem: `${other.env} is in another cluster than ${site.env}: allow its addresses.` });
  const party = await partyOf(on.kube(site.cluster), settings, { app: from, env: other.env }, signal);
  if (other.namespace === site.namespace) return { peers: [{ podSelector: party.selector }], party };
  const namespaceSelector = { matchLabels: { [namespaceLabel]: other.namespace } };
  return { peers: [{ namespaceSelector, podSelector: party.selector }], party, fromNamespace: other.namespace };
}

/** Where the pods it comes from are held back themselves, so that allowing it at the other end is not enough. */
async function heldBack(context: PlanContext<'kube'>, from: Party, to: Party, input: Input): Promise<string> {
  if (input.port === undefined && to.end.ports.length === 0) return '';
  const policies = await policiesOf(context.on.kube(context.site.cluster), from.place.namespace, context.signal);
  const port = input.port === undefined ? (to.end.ports[0]?.port ?? 0) : portNumber(input.port, to);
  const { egress } = reach(policies, { from: from.end, to: to.end, port: { port, protocol: input.protocol } });
  return egress.kind === 'denied' ? `; ${from.place.app} itself may not send there (${egress.by.join(', ')})` : '';
}

async function plan(context: PlanContext<'kube'>, input: Input): Promise<Draft> {
  const { on, settings, place, signal } = context;
  const kube = on.kube(place.cluster);
  const [to, source, policies] = await Promise.all([
    partyOf(kube, settings, { app: input.to, env: input.env }, signal),
    sourceOf(context, input),
    policiesOf(kube, place.namespace, signal),
  ]);
  const { peers, party, fromNamespace } = source;
  const { port, protocol } = input;
  if (port !== undefined) portNumber(port, to);
  const ports = port === undefined ? undefined : [{ port: /^\d+$/.test(port) ? Number(port) : port, protocol }];
  const rule: JsonObject = { ...(peers.length > 0 && { from: peers }), ...(ports && { ports }) };
  const spec: JsonObject = { podSelector: to.selector, policyTypes: ['Ingress'], ingress: [rule] };
  const manifest = policy(place.namespace, allowName({ ...input, fromNamespace }), spec);
  const planned = await planWrites(kube, [{ kind: 'apply', manifest }], signal);
  const isolation = isolationChange(to, policies, [...policies, manifest]);
  const held = party ? await heldBack(context, party, to, input) : '';
  const shut = isolation.length > 0 ? `; everybody else is cut off from ${place.app}` : '';
  const at = port === undefined ? '' : ` at ${port}${protocol === 'TCP' ? '' : `/${protocol}`}`;
  const { from, fromEnv } = input;
  const undone = { from, to: input.to, env: input.env, protocol, ...(port !== undefined && { port }) };
  return {
    summary: `${from} → ${place.app}${at}: allowed${shut}${held}`,
    ...planned,
    changes: [...planned.changes, ...(planned.changes.length > 0 ? isolation : [])],
    undo: { operation: 'network-deny', input: { ...undone, ...(fromEnv !== undefined && { fromEnv }) } },
  };
}

export const networkAllow = defineOperation({
  name: 'network-allow',
  summary: 'Let pods be reached: from an app, a namespace, or a block of addresses',
  effect: 'change',
  input: Input,
  usage: '<from> to <to> in <env> [port=<port>] [protocol=<protocol>] [fromEnv=<fromEnv>] [except=<except>]',
  examples: [
    'deployment/api to web in staging port=8080',
    'namespace/monitoring to web in staging port=9090',
    '10.0.0.0/8 to web in production port=443 except=10.1.0.0/16',
  ],
  needs: ['kube'],
  permissions: [...endPermissions, 'get,create,patch networkpolicies.networking.k8s.io'],
  steps: writeSteps,
  target: ({ to, env }) => ({ app: to, env }),
  plan,
  run: (run) => runWrites(run, cniNote),
});
