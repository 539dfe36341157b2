import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import { type Kube, refOf, refOfWrite } from '../../core/kube.ts';
import { Label } from '../../core/name-pattern.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import { listKnown } from './list-known.ts';
import { list, nameIn } from './reading.ts';
import { holds, httpRules, ingressRules, type Wanted } from './route-rules.ts';
import { linesOf, routeKinds } from './routes.ts';
import { missing, planWrites, runWrites, type Wish, writeSteps } from './writes.ts';

const address = /^(\*\.)?([a-z0-9]([-a-z0-9]*[a-z0-9])?)(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*(\/[-A-Za-z0-9._~/]*)?$/;

const Input = z.strictObject({
  url: z
    .string()
    .max(1_024)
    .regex(address, 'must be HOST/PATH such as shop.example.com/cart, without https:// and without a port')
    .describe('Host and path')
    .meta({ examples: ['shop.example.com/cart'] }),
  service: Label.describe('The Service').meta({ examples: ['web'] }),
  port: z
    .number()
    .int()
    .min(1)
    .max(65_535)
    .describe('Its port')
    .meta({ examples: [80] }),
  env: EnvRef,
  via: z.enum(['ingress', 'gateway']).optional().describe('What holds the host already; Ingress where nothing does'),
  class: ObjectName.optional().describe('The class of a new Ingress'),
  gateway: z
    .string()
    .regex(/^([a-z0-9][-a-z0-9]*\/)?[a-z0-9][-a-z0-9]*$/, 'must be NAME or NAMESPACE/NAME')
    .optional()
    .describe('The Gateway of a new HTTPRoute'),
});
type Input = z.output<typeof Input>;

/** The Gateway that was named, or the only one that the cluster has. */
async function gatewayRef(
  kube: Kube,
  named: string | undefined,
  namespace: string,
  signal: AbortSignal,
): Promise<JsonObject> {
  if (named !== undefined) {
    const [first = '', second] = named.split('/');
    return second === undefined ? { name: first } : { namespace: first, name: second };
  }
  const all = await kube.list({ ...routeKinds.Gateway, namespace: '' }, signal);
  const [only] = all;
  if (only && all.length === 1)
    return { namespace: text(at(only, 'metadata', 'namespace')) || namespace, name: nameIn(only) };
  const known = all.map((gateway) => `${text(at(gateway, 'metadata', 'namespace'))}/${nameIn(gateway)}`);
  const problem =
    all.length === 0
      ? 'There is no Gateway in the cluster.'
      : `Say which Gateway: gateway=${known.join(' or gateway=')}.`;
  throw fault('BAD_INPUT', { problem });
}

async function checkService(kube: Kube, namespace: string, { service, port }: Wanted, signal: AbortSignal) {
  const all = await kube.list({ apiVersion: 'v1', kind: 'Service', namespace }, signal);
  const found = all.find((each) => nameIn(each) === service);
  const ref = { apiVersion: 'v1', kind: 'Service', namespace, name: service };
  if (!found) throw missing(ref, didYouMean(service, all.map(nameIn)));
  const ports = list(at(found, 'spec', 'ports')).map((each) => Number(each.port));
  if (!ports.includes(port))
    throw fault('BAD_INPUT', {
      problem: `Service/${service} has no port ${port}, only ${ports.join(', ') || 'none'}.`,
    });
}

async function wishFor(
  kube: Kube,
  namespace: string,
  input: Input,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Wish> {
  const [ingresses, httpRoutes] = await Promise.all([
    input.via === 'gateway' ? [] : listKnown(kube, { ...routeKinds.Ingress, namespace }, signal),
    input.via === 'ingress' ? [] : listKnown(kube, { ...routeKinds.HTTPRoute, namespace }, signal),
  ]);
  const owners = [...ingresses, ...httpRoutes].filter(holds(wanted.host));
  const live =
    owners.find((object) => linesOf(object).some(({ url }) => url === `${wanted.host}${wanted.path}`)) ?? owners[0];
  if (live) {
    const rules = list(at(live, 'spec', 'rules'));
    const changed = live.kind === 'Ingress' ? ingressRules(rules, wanted) : httpRules(rules, wanted);
    return { kind: 'merge', ref: refOf(live), patch: { spec: { rules: changed } } };
  }
  const metadata = { name: wanted.host.replace('*', 'any').replaceAll('.', '-').slice(0, 253), namespace };
  if (input.via !== 'gateway') {
    const spec = { ...(input.class && { ingressClassName: input.class }), rules: ingressRules([], wanted) };
    return { kind: 'create', manifest: { ...routeKinds.Ingress, metadata, spec } };
  }
  const parentRefs = [await gatewayRef(kube, input.gateway, namespace, signal)];
  const spec = { parentRefs, hostnames: [wanted.host], rules: httpRules([], wanted) };
  return { kind: 'create', manifest: { ...routeKinds.HTTPRoute, metadata, spec } };
}

async function plan({ on, site, signal }: PlanContext<'kube'>, input: Input) {
  const kube = on.kube(site.cluster);
  const { url, service, port } = input;
  const slash = url.indexOf('/');
  const host = slash < 0 ? url : url.slice(0, slash);
  const wanted = { host, path: slash < 0 ? '/' : url.slice(slash), service, port };
  await checkService(kube, site.namespace, wanted, signal);
  const wish = await wishFor(kube, site.namespace, input, wanted, signal);
  const { kind, name } = refOfWrite(wish);
  const planned = await planWrites(kube, [wish], signal);
  return { summary: `${host}${wanted.path} → ${service}:${port} by ${kind}/${name}`, ...planned };
}

export const routeSet = defineOperation({
  name: 'route-set',
  summary: 'Let an address lead to a Service, by Ingress or HTTPRoute',
  effect: 'change',
  input: Input,
  usage: '<url> to <service>:<port> in <env> [via=gateway]',
  examples: ['shop.example.com/cart to web:80 in staging', 'shop.example.com to web:80 in staging via=gateway'],
  routes: [
    route({
      method: 'PUT',
      path: '/routes/:namespace',
      summary: 'Let an address lead to a Service',
      request: Input.omit({ env: true }).extend({ namespace: EnvRef }),
      input: ({ namespace, ...input }) => ({ ...input, env: namespace }),
    }),
  ],
  needs: ['kube'],
  permissions: [
    'list services',
    'list gateways.gateway.networking.k8s.io everywhere',
    'get,list,create,patch ingresses.networking.k8s.io,httproutes.gateway.networking.k8s.io',
  ],
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan,
  run: (run) => runWrites(run),
});
