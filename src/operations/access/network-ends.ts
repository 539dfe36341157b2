import { z } from 'zod';
import { Address, Block } from '../../core/cidr.ts';
import { fault } from '../../core/errors.ts';
import { at, isObject, type Json, type JsonObject } from '../../core/json.ts';
import { kindCalled } from '../../core/kinds.ts';
import type { Kube } from '../../core/kube.ts';
import { labelsOf, selects } from '../../core/label-selector.ts';
import { Label } from '../../core/name-pattern.ts';
import type { End, NamedPort } from '../../core/network-reach.ts';
import { locate, type Place, WorkloadRef } from '../../core/place.ts';
import type { Settings } from '../../core/settings.ts';
import { workloadRef } from '../delivery/workload.ts';
import { missing } from '../kubernetes/writes.ts';

/** The selector that namespaces are told apart by: the API server puts this label on each of them. */
export const namespaceLabel = 'kubernetes.io/metadata.name';
const said = 'must be an app, KIND/NAME, namespace/NAME, an address or a block such as 10.0.0.0/8, or “anywhere”';

/** Where traffic comes from. */
export const SourceRef = z
  .string()
  .max(253)
  .transform((ref, context) => {
    if (ref === 'anywhere' || Block.safeParse(ref).success) return ref;
    if (Address.safeParse(ref).success) return `${ref}/${ref.includes(':') ? 128 : 32}`;
    const [kind = '', name] = ref.split('/');
    if (kindCalled(kind)?.kind === 'Namespace' && Label.safeParse(name).success) return `namespace/${name}`;
    const workload = WorkloadRef.safeParse(ref);
    if (workload.success) return workload.data;
    context.addIssue({ code: 'custom', message: said });
    return z.NEVER;
  })
  .describe('Where from: an app, KIND/NAME, namespace/NAME, an address or block, or anywhere')
  .meta({ examples: ['api'] });

const isPort = (port: string) => (/^\d+$/.test(port) ? Number(port) >= 1 && Number(port) <= 65_535 : port.length <= 15);

/** A number, or the name that a container gives it. */
export const PortRef = z
  .string()
  .refine(
    (port) => /^([a-z0-9]+(-[a-z0-9]+)*|\d+)$/.test(port) && isPort(port),
    'must be from 1 to 65535, or a port’s name',
  )
  .describe('A port, as number or name')
  .meta({ examples: ['8080'] });

export const Protocol = z.enum(['TCP', 'UDP', 'SCTP']);

const templateOf = (workload: JsonObject) =>
  at(workload, 'spec', 'jobTemplate', 'spec', 'template') ?? at(workload, 'spec', 'template');

/** Selects the pods of a workload; jobs name theirs anew each time, so their template's labels stand for them. */
function selectorOf(workload: JsonObject): Json {
  const isJob = workload.kind === 'Job' || workload.kind === 'CronJob';
  const own = at(workload, 'spec', 'selector');
  return !isJob && isObject(own)
    ? own
    : { matchLabels: { ...labelsOf(at(templateOf(workload), 'metadata', 'labels')) } };
}

function namedPorts(workload: JsonObject): NamedPort[] {
  const containers = at(templateOf(workload), 'spec', 'containers');
  return (Array.isArray(containers) ? containers : []).flatMap((container) => {
    const ports = at(container, 'ports');
    return (Array.isArray(ports) ? ports : []).flatMap((port) => {
      const [number, name, protocol] = [at(port, 'containerPort'), at(port, 'name'), at(port, 'protocol')];
      return typeof number === 'number'
        ? [{ port: number, name: typeof name === 'string' ? name : '', protocol: String(protocol ?? 'TCP') }]
        : [];
    });
  });
}

export type Party = { place: Place; selector: Json; end: Extract<End, { kind: 'pods' }> };

/** The pods of a workload, as policies see them. @throws Fault NO_SUCH_OBJECT */
export async function partyOf(
  kube: Kube,
  settings: Settings,
  target: { app: string; env: string },
  signal: AbortSignal,
): Promise<Party> {
  const place = locate(settings, target);
  const { namespace } = place;
  const [workload, owner, pods] = await Promise.all([
    kube.read(workloadRef(place), signal),
    kube.read({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace }, signal),
    kube.look('Pod', namespace, signal),
  ]);
  if (!workload) throw missing(workloadRef(place));
  const selector = selectorOf(workload);
  const addresses = pods.objects
    .filter((pod) => selects(selector, labelsOf(at(pod, 'metadata', 'labels'))))
    .flatMap((pod) => {
      const address = at(pod, 'status', 'podIP');
      return typeof address === 'string' ? [address] : [];
    });
  const end: Party['end'] = {
    kind: 'pods',
    namespace,
    namespaceLabels: { ...labelsOf(at(owner, 'metadata', 'labels')), [namespaceLabel]: namespace },
    labels: labelsOf(at(templateOf(workload), 'metadata', 'labels')),
    addresses,
    ports: namedPorts(workload),
  };
  return { place, selector, end };
}

/** The NetworkPolicies of a namespace, asked for now. */
export async function policiesOf(kube: Kube, namespace: string, signal: AbortSignal): Promise<JsonObject[]> {
  return await kube.list({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', namespace }, signal);
}

/** The number behind a port's name at these pods. @throws Fault BAD_INPUT for a name that none of their containers has */
export function portNumber(port: string, { end, place }: Pick<Party, 'end' | 'place'>): number {
  if (/^\d+$/.test(port)) return Number(port);
  const found = end.ports.find(({ name }) => name === port);
  if (found) return found.port;
  const known = end.ports.map(({ name, port }) => (name === '' ? String(port) : name)).join(', ') || 'none';
  throw fault('BAD_INPUT', { problem: `${place.app} has no port called “${port}”; its containers name: ${known}.` });
}

/** What reading the two ends of a connection takes. */
export const endPermissions = [
  'get deployments.apps,statefulsets.apps,daemonsets.apps,jobs.batch,cronjobs.batch,namespaces',
  'list,watch pods',
  'list networkpolicies.networking.k8s.io',
] as const;

/** What only an enforcing network plug-in makes true. */
export const cniNote = 'This is what the policies say. The cluster’s network plug-in (CNI) has to enforce them.';
