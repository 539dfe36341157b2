import { z } from 'zod';
import { Address } from '../../core/cidr.ts';
import { fault } from '../../core/errors.ts';
import { at } from '../../core/json.ts';
import { type End, reach as judge } from '../../core/network-reach.ts';
import { appliesTo, letsThrough, sideText } from '../../core/network-words.ts';
import { defineOperation, type RunContext } from '../../core/operation.ts';
import { isOurs } from '../../core/ours.ts';
import { EnvRef, siteCalled, WorkloadRef } from '../../core/place.ts';
import {
  cniNote,
  endPermissions,
  type Party,
  PortRef,
  Protocol,
  partyOf,
  policiesOf,
  portNumber,
} from './network-ends.ts';

export const network = defineOperation({
  name: 'network',
  summary: 'List who may reach whom: the NetworkPolicies of an environment in words',
  effect: 'read',
  input: z.strictObject({ env: EnvRef }),
  usage: 'in <env>',
  examples: ['in staging'],
  needs: ['kube'],
  permissions: ['list networkpolicies.networking.k8s.io'],
  steps: ['read'],
  target: ({ env }) => ({ env }),
  plan: async ({ site }) => ({ summary: `policies of ${site.namespace}`, changes: [], takesOver: [] }),
  run: async (run) => {
    const rows = await run.step('read', async ({ signal }) => {
      const policies = await policiesOf(run.on.kube(run.site.cluster), run.site.namespace, signal);
      return policies.map((policy) => [
        String(at(policy, 'metadata', 'name')),
        appliesTo(policy),
        letsThrough(policy, 'ingress'),
        letsThrough(policy, 'egress'),
        isOurs(policy) ? 'Shipmate' : '',
      ]);
    });
    const columns = ['policy', 'is about', 'lets in', 'lets out', 'made by'];
    const note = rows.length === 0 ? 'No policy: everybody may reach everybody.' : cniNote;
    return { kind: 'table', title: `Network policies in ${run.site.env}`, columns, rows, note };
  },
});

const EndRef = z
  .union([Address, WorkloadRef])
  .describe('An app, a workload as KIND/NAME, or an address')
  .meta({ examples: ['api'] });

const Question = z.strictObject({
  from: EndRef,
  to: EndRef,
  env: EnvRef,
  port: PortRef.optional(),
  protocol: Protocol.default('TCP'),
  fromEnv: EnvRef.optional().describe('The environment of the app it comes from, where it is another one'),
});
type Question = z.output<typeof Question>;

type Found = { end: End; party?: Party };

async function endCalled(run: RunContext<'kube', 'read'>, app: string, env: string): Promise<Found> {
  if (Address.safeParse(app).success) return { end: { kind: 'address', address: app } };
  const { cluster } = siteCalled(run.settings, env);
  if (cluster !== run.site.cluster)
    throw fault('BAD_INPUT', { problem: `${env} is in another cluster: ask with an address instead.` });
  const party = await partyOf(run.on.kube(cluster), run.settings, { app, env }, run.signal);
  return { end: party.end, party };
}

/** The ports asked for: the one named, or those that the containers declare. */
function portsOf(
  { port, protocol, to }: Question,
  { party }: Found,
): { port: number; protocol: Question['protocol'] }[] {
  if (port !== undefined) return [{ port: party ? portNumber(port, party) : Number(port), protocol }];
  const declared = (party?.end.ports ?? []).filter((each) => each.protocol === protocol);
  if (declared.length === 0)
    throw fault('BAD_INPUT', { problem: `${to} declares no ${protocol} port: say which one, with port=8080.` });
  return declared.map((each) => ({ port: each.port, protocol }));
}

async function answer(run: RunContext<'kube', 'read'>, question: Question): Promise<string[][]> {
  const { from, to, env, fromEnv = env } = question;
  const [source, target] = await Promise.all([endCalled(run, from, fromEnv), endCalled(run, to, env)]);
  const kube = run.on.kube(run.site.cluster);
  const namespaces = new Set([source, target].flatMap(({ party }) => (party ? [party.place.namespace] : [])));
  const policies = (await Promise.all([...namespaces].map((name) => policiesOf(kube, name, run.signal)))).flat();
  return portsOf(question, target).map((port) => {
    const { reaches, egress, ingress } = judge(policies, { from: source.end, to: target.end, port });
    return [`${port.port}/${port.protocol}`, reaches ? 'yes' : 'no', sideText(egress), sideText(ingress)];
  });
}

export const networkReach = defineOperation({
  name: 'network-reach',
  summary: 'Say whether one app can reach another, and which policies decide',
  effect: 'read',
  input: Question,
  usage: '<from> to <to> in <env> [port=<port>] [protocol=<protocol>] [fromEnv=<fromEnv>]',
  examples: ['web to deployment/api in staging port=8080', '203.0.113.7 to web in production port=443'],
  needs: ['kube'],
  permissions: endPermissions,
  steps: ['read'],
  target: ({ env }) => ({ env }),
  plan: async (_context, { from, to }) => ({ summary: `can ${from} reach ${to}?`, changes: [], takesOver: [] }),
  run: async (run, question) => {
    const rows = await run.step('read', () => answer(run, question));
    const { from, to } = question;
    const columns = ['port', `${from} reaches ${to}`, `${from} may send it`, `${to} may take it`];
    return { kind: 'table', title: `Can ${from} reach ${to} in ${run.site.env}?`, columns, rows, note: cniNote };
  },
});
