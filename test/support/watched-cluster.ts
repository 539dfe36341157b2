import { fault } from '../../src/core/errors.ts';
import { at, isObject, type Json, type JsonObject } from '../../src/core/json.ts';
import type { Kube } from '../../src/core/kube.ts';
import type { fakeWorld } from '../fakes/fake-clients.ts';

const objectsIn = (value: Json | undefined) => (Array.isArray(value) ? value.filter(isObject) : []);
export const imageOf = (object: JsonObject | undefined) =>
  at(object, 'spec', 'template', 'spec', 'containers', 0, 'image');

const route = { destination: { host: 'web' } };
/** Routes all of the app's traffic to its Service. */
export const virtualService: JsonObject = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'web', namespace: 'staging', resourceVersion: '1' },
  spec: { hosts: ['web'], http: [{ name: 'all', route: [route] }] },
};
/** Leads to the pods of a Deployment that Shipmate made. */
export const service: JsonObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'staging' },
  spec: { selector: { 'app.kubernetes.io/name': 'web' }, ports: [{ port: 80 }] },
};

/** Guards the pods of stable by the label that the canary's differ in. */
export const guard: JsonObject = {
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: { name: 'no-delete', namespace: 'staging' },
  spec: {
    selector: { matchLabels: { 'app.kubernetes.io/name': 'web' } },
    action: 'DENY',
    rules: [{ to: [{ operation: { methods: ['DELETE'] } }] }],
  },
};

/** A cluster that answers as a real one would as far as a canary goes, and that watches what is done to it. */
export function watchedCluster(world: ReturnType<typeof fakeWorld>) {
  const get = (key: string) => world.objects.get(key);
  const routeTo = (host: string) => {
    const [first] = objectsIn(at(get('VirtualService staging/web'), 'spec', 'http'));
    return objectsIn(first?.route).find((each) => at(each, 'destination', 'host') === host);
  };
  const weights = () => {
    const canary = Number(routeTo('web-canary')?.weight ?? 0);
    return { canary, stable: Number(routeTo('web')?.weight ?? 100 - canary) };
  };
  const baseline = () => Number(routeTo('web-baseline')?.weight ?? 0);
  const sizeOf = (key: string) => (get(key) ? Number(at(get(key), 'spec', 'replicas') ?? 1) : 0);
  const broken: string[] = [];
  let troubled = { calls: 0, done: false };
  let podsReady = true;
  const check = (what: string) => {
    const { canary, stable } = weights();
    const fresh = baseline();
    if (canary + stable + fresh !== 100 || canary < 0 || stable < 0)
      broken.push(`${what}: weights ${stable}, ${canary} and ${fresh}`);
    if (fresh > 0 && (fresh !== canary || sizeOf('staging/web-baseline') < Math.ceil((4 * fresh) / 100)))
      broken.push(`${what}: ${fresh} % to ${sizeOf('staging/web-baseline')} pods of the baseline`);
    if (fresh > 0 && !get('Service staging/web-baseline')) broken.push(`${what}: ${fresh} % to no Service`);
    if (canary > 0 && sizeOf('staging/web-canary') < Math.ceil((4 * canary) / 100))
      broken.push(`${what}: ${canary} % to ${sizeOf('staging/web-canary')} pods`);
    if (canary > 0 && !get('Service staging/web-canary')) broken.push(`${what}: ${canary} % to no Service`);
    const guarded =
      !get('AuthorizationPolicy staging/no-delete') || get('AuthorizationPolicy staging/web-canary-no-delete');
    if (get('staging/web-canary') && !guarded) broken.push(`${what}: a canary that nothing guards`);
    if (stable > 0 && sizeOf('staging/web') < 4) broken.push(`${what}: ${stable} % to ${sizeOf('staging/web')} pods`);
  };
  const unreachable = () => fault('CLUSTER_UNREACHABLE', { cluster: 'default', problem: 'ECONNRESET' });
  const through = async <Result>(what: string, act: () => Promise<Result>): Promise<Result> => {
    const { calls, done } = troubled;
    if (calls > 0) troubled = { calls: calls - 1, done };
    if (calls > 0 && !done) throw unreachable();
    const result = await act();
    check(what);
    if (calls > 0) throw unreachable();
    return result;
  };
  const { kube } = world;
  const outdated = () => fault('CHANGED_MEANWHILE', { problem: 'the object has been modified' });
  const real: Kube = {
    ...kube,
    // With the API server away a picture is as old as the last answer.
    look: async (...args) => ({ ...(await kube.look(...args)), asOf: troubled.calls > 0 ? 0 : Date.now() }),
    read: (ref, signal) =>
      through(`read ${ref.kind}/${ref.name}`, async () => {
        const object = await kube.read(ref, signal);
        const ready = ref.kind === 'Deployment' &&
          object && { status: { readyReplicas: podsReady ? (at(object, 'spec', 'replicas') ?? 1) : 0 } };
        return object && { ...object, ...ready };
      }),
    apply: (manifest, ...rest) => through(`apply ${manifest.kind}`, () => kube.apply(manifest, ...rest)),
    remove: (ref, ...rest) => through(`remove ${ref.kind}/${ref.name}`, () => kube.remove(ref, ...rest)),
    merge: (ref, patch, ...rest) =>
      through(`merge ${ref.kind}/${ref.name}`, async () => {
        const version = at(patch, 'metadata', 'resourceVersion');
        const live = get(`${ref.kind} ${ref.namespace}/${ref.name}`);
        if (version !== undefined && version !== at(live, 'metadata', 'resourceVersion')) throw outdated();
        const after = await kube.merge(ref, patch, ...rest);
        bump(`${ref.kind} ${ref.namespace}/${ref.name}`);
        return after;
      }),
  };
  const bump = (key: string) => {
    const object = get(key);
    const metadata = isObject(object?.metadata) ? object.metadata : {};
    if (object && metadata.resourceVersion !== undefined)
      world.objects.set(key, {
        ...object,
        metadata: { ...metadata, resourceVersion: String(Number(metadata.resourceVersion) + 1) },
      });
  };
  return {
    kube: real,
    broken,
    weights,
    baseline,
    get,
    /** Whether the pods of Deployments are ready. */
    makeReady: (now: boolean) => {
      podsReady = now;
    },
    trouble: (calls: number, done: boolean) => {
      troubled = { calls, done };
    },
    edit: (what: 'weight' | 'stable') => {
      if (what === 'stable') {
        const live = get('staging/web');
        const containers = [{ name: 'web', image: '127.0.0.1:5000/web:theirs' }];
        if (live)
          world.objects.set('staging/web', {
            ...live,
            spec: {
              ...(isObject(live.spec) ? live.spec : {}),
              template: { metadata: { labels: { 'app.kubernetes.io/name': 'web' } }, spec: { containers } },
            },
          });
        return;
      }
      const key = 'VirtualService staging/web';
      const { canary } = weights();
      if (canary === 0) return;
      const live = get(key);
      const http = [
        {
          name: 'all',
          route: [
            { ...route, weight: 100 - 1 },
            { destination: { host: 'web-canary' }, weight: 1 },
          ],
        },
      ];
      if (live) world.objects.set(key, { ...live, spec: { ...(isObject(live.spec) ? live.spec : {}), http } });
      bump(key);
    },
  };
}
