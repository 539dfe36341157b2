import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import { knownKind } from '../../core/kinds.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { EnvRef, ObjectName, WorkloadRef } from '../../core/place.ts';
import { list } from './reading.ts';
import { missing, planWrites, runWrites, writeSteps } from './writes.ts';

const form =
  /^(?:([a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?)=)?(\d{1,5})(?::(\d{1,5}|[a-z0-9][-a-z0-9]{0,14}))?(?:\/(tcp|udp|sctp))?$/i;
const isPort = (digits: string | undefined) =>
  digits === undefined || !/^\d+$/.test(digits) || (Number(digits) > 0 && Number(digits) < 65_536);

const ServicePorts = z
  .array(
    z
      .string()
      .regex(form, 'must be a port such as 80, 80:8080, 80:http, web=80:8080 or 53:5353/udp')
      .refine((port) => isPort(form.exec(port)?.[3]) && isPort(form.exec(port)?.[4]), 'ports go from 1 to 65535'),
  )
  .min(1)
  .max(100)
  .describe('PORT or PORT:TARGET, one or more')
  .meta({ examples: [['80:8080']] });

type ServicePort = { name: string; port: number; target: string | number; protocol: string };

function portOf(words: string): ServicePort {
  const [, name, , port = '', target = port, protocol = 'TCP'] = form.exec(words) ?? [];
  const number = /^\d+$/.test(target) ? Number(target) : target;
  const upper = protocol.toUpperCase();
  return { name: name ?? `${upper.toLowerCase()}-${port}`, port: Number(port), target: number, protocol: upper };
}

type ContainerPort = { name: string; port: number };

/** The ports that the containers of a workload say they listen on. */
export function containerPorts(podSpec: unknown): ContainerPort[] {
  const containers = isObject(podSpec) ? list(podSpec.containers) : [];
  return containers.flatMap(({ ports }) =>
    list(ports).map(({ name, containerPort }) => ({ name: text(name), port: Number(containerPort) })),
  );
}

/** A name that no container port bears leads nowhere for ever; a number may be listened on all the same. */
function checkTargets(app: string, ports: readonly ServicePort[], known: readonly ContainerPort[]): string {
  const names = known.map(({ name }) => name).filter(Boolean);
  const unknown = ports.find(({ target }) => typeof target === 'string' && !names.includes(target));
  if (unknown) {
    const near = didYouMean(String(unknown.target), names);
    const has = names.length > 0 ? `Named ports: ${names.join(', ')}.` : 'None of its ports has a name.';
    throw fault('BAD_INPUT', { problem: `No container of ${app} has a port “${unknown.target}”.${near} ${has}` });
  }
  const odd = ports.filter(({ target }) => typeof target === 'number' && !known.some(({ port }) => port === target));
  if (known.length === 0 || odd.length === 0) return '';
  return `; note that ${app} declares ${known.map(({ port }) => port).join(', ')} and not ${odd.map(({ target }) => target).join(', ')}`;
}

const Type = z.enum(['ClusterIP', 'NodePort', 'LoadBalancer', 'Headless']);

const Input = z.strictObject({
  app: WorkloadRef,
  env: EnvRef,
  ports: ServicePorts,
  type: Type.optional().describe('ClusterIP where it is left out'),
  name: ObjectName.optional().describe('The Service, where it is not named like the app'),
});

async function plan({ on, place, signal }: PlanContext<'kube'>, input: z.output<typeof Input>) {
  const kube = on.kube(place.cluster);
  const { kind, namespace, workload } = place;
  const ref = { apiVersion: knownKind(kind)?.apiVersion ?? 'apps/v1', kind, namespace, name: workload };
  const live = await kube.read(ref, signal);
  if (!live) throw missing(ref);
  const chosen = at(live, 'spec', 'selector', 'matchLabels') ?? at(live, 'spec', 'template', 'metadata', 'labels');
  const selector: JsonObject = isObject(chosen) ? chosen : {};
  if (Object.keys(selector).length === 0)
    throw fault('BAD_INPUT', {
      problem: `The pods of ${place.app} bear no labels by which a Service could find them.`,
    });
  const ports = input.ports.map(portOf);
  const warning = checkTargets(place.app, ports, containerPorts(at(live, 'spec', 'template', 'spec')));
  const name = input.name ?? workload;
  const service = { apiVersion: 'v1', kind: 'Service', namespace, name };
  const headless = input.type === 'Headless';
  const spec: JsonObject = {
    selector,
    type: headless ? 'ClusterIP' : (input.type ?? 'ClusterIP'),
    ...(headless && { clusterIP: 'None' }),
    ports: ports.map(({ target, ...port }) => ({ ...port, targetPort: target })),
  };
  const there = await kube.read(service, signal);
  const manifest = { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec };
  const planned = await planWrites(kube, [{ kind: 'apply', manifest }], signal);
  return {
    summary: `Service/${name}: ${ports.map(({ port, target }) => `${port} → ${target}`).join(', ')} of ${place.app}${warning}`,
    ...planned,
    ...(!there && { undo: { operation: 'service-delete', input: { name, env: place.env } } }),
  };
}

export const serviceExpose = defineOperation({
  name: 'service-expose',
  summary: 'Make an app reachable in its cluster through a Service',
  effect: 'change',
  input: Input,
  usage: '<app> <ports>… in <env> [type=<type>] [name=<name>]',
  examples: ['web 80:8080 in staging', 'web 80:http 9090 in staging type=LoadBalancer name=web-public'],
  routes: [
    route({
      method: 'POST',
      path: '/services/:namespace',
      summary: 'Make an app reachable through a Service',
      request: Input.omit({ env: true }).extend({ namespace: EnvRef }),
      input: ({ namespace, ...input }) => ({ ...input, env: namespace }),
    }),
  ],
  needs: ['kube'],
  permissions: ['get deployments.apps,statefulsets.apps,daemonsets.apps', 'get,create,patch services'],
  steps: writeSteps,
  target: ({ app, env }) => ({ app, env }),
  plan,
  run: (run) => runWrites(run),
});
