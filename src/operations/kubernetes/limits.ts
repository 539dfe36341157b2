import { z } from 'zod';
import { at, isObject, type Json, type JsonObject, text } from '../../core/json.ts';
import { defineOperation, type PlanContext } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import { byName, entries, list, nameIn } from './reading.ts';
import { showsEnvironment } from './shows-environment.ts';
import { planWrites, runWrites, writeSteps } from './writes.ts';

/** What people say, and what a LimitRange calls it. */
const fields = {
  default: 'default',
  request: 'defaultRequest',
  min: 'min',
  max: 'max',
  ratio: 'maxLimitRequestRatio',
} as const;
const form = /^(default|request|min|max|ratio)\.([a-z][-a-z0-9./]{0,200})=(\d+(?:\.\d+)?(?:m|[kMGTPE]|[KMGTPE]i)?)$/;

const Amounts = z
  .array(
    z.string().regex(form, 'must be WHAT.RESOURCE=QUANTITY with default, request, min, max or ratio: request.cpu=100m'),
  )
  .min(1, 'needs at least one WHAT.RESOURCE=QUANTITY')
  .max(50)
  .describe('default.cpu=500m, request.memory=128Mi, max.cpu=4; one or more')
  .meta({ examples: [['default.cpu=500m', 'request.cpu=100m']] });

function withAmounts(limit: JsonObject, values: readonly string[]): JsonObject {
  const result: JsonObject = { ...limit };
  for (const value of values) {
    const [, what = '', resource = '', quantity = ''] = form.exec(value) ?? [];
    const field = Object.entries(fields).find(([word]) => word === what)?.[1] ?? 'default';
    const before = result[field];
    result[field] = { ...(isObject(before) && before), [resource]: quantity };
  }
  return result;
}

const cell = (limit: JsonObject, field: string, resource: string) => {
  const amount: Json | undefined = at(limit, field, resource);
  return amount === undefined ? '' : String(amount);
};

function rowsOf(range: JsonObject): string[][] {
  return list(at(range, 'spec', 'limits')).flatMap((limit) => {
    const resources = [
      ...new Set(Object.values(fields).flatMap((field) => entries(limit[field]).map(([name]) => name))),
    ];
    return resources
      .sort()
      .map((resource) => [
        nameIn(range),
        text(limit.type),
        resource,
        ...['min', 'defaultRequest', 'default', 'max', 'maxLimitRequestRatio'].map((field) =>
          cell(limit, field, resource),
        ),
      ]);
  });
}

export const limits = showsEnvironment({
  name: 'limits',
  summary: 'Show what containers get and may ask for in an environment (LimitRange)',
  permissions: ['list limitranges'],
  look: async (run, signal) => {
    const { cluster, namespace, env } = run.site;
    const found = await run.on.kube(cluster).list({ apiVersion: 'v1', kind: 'LimitRange', namespace }, signal);
    const rows = found.sort(byName).flatMap(rowsOf);
    return {
      kind: 'table' as const,
      title: `Limits of ${env}`,
      columns: ['LimitRange', 'Of', 'Resource', 'Least', 'Requested', 'Limit', 'Most', 'Limit/request'],
      rows,
      ...(rows.length === 0 && { note: 'There is no LimitRange: containers get what they ask for.' }),
    };
  },
});

const Input = z.strictObject({
  values: Amounts,
  env: EnvRef,
  name: ObjectName.optional().describe('The LimitRange; “default” where it is left out'),
});

async function plan({ on, site, signal }: PlanContext<'kube'>, { values, name = 'default' }: z.output<typeof Input>) {
  const kube = on.kube(site.cluster);
  const ref = { apiVersion: 'v1', kind: 'LimitRange', namespace: site.namespace, name };
  const live = await kube.read(ref, signal);
  const before = list(at(live, 'spec', 'limits'));
  // The list is one field to the API server: what is in it of pods and claims goes along unchanged.
  const changed = before.some(({ type }) => type === 'Container')
    ? before.map((limit) => (limit.type === 'Container' ? withAmounts(limit, values) : limit))
    : [...before, withAmounts({ type: 'Container' }, values)];
  const { apiVersion, kind, namespace } = ref;
  const spec = { limits: changed };
  const wish = live
    ? { kind: 'merge' as const, ref, patch: { spec } }
    : { kind: 'apply' as const, manifest: { apiVersion, kind, metadata: { name, namespace }, spec } };
  const planned = await planWrites(kube, [wish], signal);
  return { summary: `LimitRange/${name}: ${values.join(', ')}`, ...planned };
}

export const limitsSet = defineOperation({
  name: 'limits-set',
  summary: 'Set what containers get that say nothing, and what they may ask for (LimitRange)',
  effect: 'change',
  input: Input,
  usage: '<values>… in <env> [name=<name>]',
  examples: ['default.cpu=500m request.cpu=100m max.memory=2Gi in staging'],
  needs: ['kube'],
  permissions: ['get,create,patch limitranges'],
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan,
  run: (run) => runWrites(run, 'It holds for pods that start from now on.'),
});
