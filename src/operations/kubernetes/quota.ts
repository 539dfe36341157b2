import { z } from 'zod';
import { at, isObject, type JsonObject } from '../../core/json.ts';
import { defineOperation, type PlanContext } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import { barOf, compareQuantities, shareOf } from '../../core/quantity.ts';
import { byName, entries, nameIn } from './reading.ts';
import { showsEnvironment } from './shows-environment.ts';
import { planWrites, runWrites, writeSteps } from './writes.ts';

const form = /^([a-z][-a-z0-9./]{0,200}[a-z0-9])=(\d+(?:\.\d+)?(?:m|[kMGTPE]|[KMGTPE]i)?)$/;

/** `RESOURCE=QUANTITY`, as often as one likes. */
const Amounts = z
  .array(z.string().regex(form, 'must be RESOURCE=QUANTITY such as requests.cpu=8, limits.memory=16Gi or pods=50'))
  .min(1, 'needs at least one RESOURCE=QUANTITY')
  .max(50)
  .describe('RESOURCE=QUANTITY, one or more')
  .meta({ examples: [['requests.cpu=8', 'pods=50']] });

const amountsOf = (values: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    values.map((value) => {
      const [, resource = '', quantity = ''] = form.exec(value) ?? [];
      return [resource, quantity];
    }),
  );

const usedOf = (quota: JsonObject | undefined): ReadonlyMap<string, string> =>
  new Map(entries(at(quota, 'status', 'used')));

function rowsOf(quota: JsonObject): string[][] {
  const used = usedOf(quota);
  return entries(at(quota, 'spec', 'hard'))
    .map(([resource, hard]) => ({ resource, hard, now: used.get(resource) ?? '0' }))
    .sort((a, b) => shareOf(b.now, b.hard) - shareOf(a.now, a.hard))
    .map(({ resource, hard, now }) => [nameIn(quota), resource, `${now} of ${hard}`, barOf(shareOf(now, hard))]);
}

export const quota = showsEnvironment({
  name: 'quota',
  summary: 'Show how much of its ResourceQuotas an environment uses',
  rest: { path: '/quotas/:namespace', summary: 'ResourceQuotas and how much of them is used' },
  permissions: ['list resourcequotas'],
  look: async (run, signal) => {
    const { cluster, namespace, env } = run.site;
    const found = await run.on.kube(cluster).list({ apiVersion: 'v1', kind: 'ResourceQuota', namespace }, signal);
    const rows = found.sort(byName).flatMap(rowsOf);
    return {
      kind: 'table' as const,
      title: `Quota of ${env}`,
      columns: ['Quota', 'Resource', 'Used', 'Share'],
      rows,
      ...(rows.length === 0 && { note: 'There is no ResourceQuota: nothing is limited but by the cluster.' }),
    };
  },
});

const Input = z.strictObject({
  values: Amounts,
  env: EnvRef,
  name: ObjectName.optional().describe('The ResourceQuota; “default” where it is left out'),
});

async function plan({ on, site, signal }: PlanContext<'kube'>, { values, name = 'default' }: z.output<typeof Input>) {
  const kube = on.kube(site.cluster);
  const ref = { apiVersion: 'v1', kind: 'ResourceQuota', namespace: site.namespace, name };
  const live = await kube.read(ref, signal);
  const hard = amountsOf(values);
  const { apiVersion, kind, namespace } = ref;
  const wish = live
    ? { kind: 'merge' as const, ref, patch: { spec: { hard } } }
    : { kind: 'apply' as const, manifest: { apiVersion, kind, metadata: { name, namespace }, spec: { hard } } };
  const planned = await planWrites(kube, [wish], signal);
  const used = usedOf(live);
  const over = Object.entries(hard).filter(
    ([resource, most]) => compareQuantities(used.get(resource) ?? '0', most) > 0,
  );
  const warning =
    over.length > 0
      ? `; in use is more already, so nothing new will start: ${over.map(([resource]) => `${resource} ${used.get(resource)}`).join(', ')}`
      : '';
  const before = at(live, 'spec', 'hard');
  const known = isObject(before) && Object.keys(hard).every((resource) => before[resource] !== undefined);
  const back = known ? Object.keys(hard).map((resource) => `${resource}=${String(before[resource])}`) : [];
  return {
    summary: `ResourceQuota/${name}: ${Object.entries(hard)
      .map((pair) => pair.join('='))
      .join(', ')}${warning}`,
    ...planned,
    ...(back.length > 0 && { undo: { operation: 'quota-set', input: { values: back, env: site.env, name } } }),
  };
}

export const quotaSet = defineOperation({
  name: 'quota-set',
  summary: 'Set how much an environment may use in all (ResourceQuota)',
  effect: 'change',
  input: Input,
  usage: '<values>… in <env> [name=<name>]',
  examples: ['requests.cpu=8 requests.memory=16Gi pods=50 in staging'],
  needs: ['kube'],
  permissions: ['get,create,patch resourcequotas'],
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan,
  run: (run) => runWrites(run),
});
