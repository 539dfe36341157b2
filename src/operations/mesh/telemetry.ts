import { z } from 'zod';
import { same } from '../../core/edits.ts';
import { fault } from '../../core/errors.ts';
import { at, type Json, type JsonObject } from '../../core/json.ts';
import { refOf } from '../../core/kube.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { EnvRef, ObjectName, WorkloadRef } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { Percentage, Switch } from '../../core/values.ts';
import { list, nameIn } from '../kubernetes/reading.ts';
import { planWrites, runWrites, type Wish, writeSteps } from '../kubernetes/writes.ts';
import { changes, editTo, keepersText, meshList, meshObject, selectorOf } from './objects.ts';
import { isForAll, meshed, workloadPermissions } from './workloads.ts';

const Input = z.strictObject({
  env: EnvRef,
  app: WorkloadRef.optional().describe('Of one app alone; left out, of the whole namespace'),
  accessLog: Switch.optional().describe('Whether each request is logged'),
  tracing: Percentage.optional().describe('So many of the requests are traced'),
  metrics: Switch.optional().describe('Whether requests are counted and timed'),
  provider: ObjectName.optional().describe('To which of the mesh’s providers; envoy for logs where it is left out'),
});
type Input = z.output<typeof Input>;

/** One entry of each list is ours to write: the first, which has no filter and is for both sides. */
function editsOf(live: JsonObject, { accessLog, tracing, metrics, provider }: Input) {
  const entryOf = (field: string): JsonObject => list(at(live, 'spec', field))[0] ?? {};
  const providers: JsonObject = provider === undefined ? {} : { providers: [{ name: provider }] };
  const logs = entryOf('accessLogging');
  const envoy: Json = logs.providers ?? [{ name: 'envoy' }];
  return [
    ...(accessLog === undefined
      ? []
      : [
          editTo(
            live,
            ['spec', 'accessLogging'],
            withFirst(live, 'accessLogging', { ...logs, providers: envoy, ...providers, disabled: !accessLog }),
          ),
        ]),
    ...(tracing === undefined
      ? []
      : [
          editTo(
            live,
            ['spec', 'tracing'],
            withFirst(live, 'tracing', { ...entryOf('tracing'), ...providers, randomSamplingPercentage: tracing }),
          ),
        ]),
    ...(metrics === undefined
      ? []
      : [
          editTo(
            live,
            ['spec', 'metrics'],
            withFirst(live, 'metrics', metricsEntry(entryOf('metrics'), metrics, provider)),
          ),
        ]),
  ];
}

const withFirst = (live: JsonObject, field: string, first: JsonObject): Json => [
  first,
  ...list(at(live, 'spec', field)).slice(1),
];

const isAllMetrics = (override: JsonObject) =>
  same(override.match ?? {}, { metric: 'ALL_METRICS' }) || override.match === undefined;

function metricsEntry(live: JsonObject, on: boolean, provider: string | undefined): JsonObject {
  const others = list(live.overrides).filter((override) => !isAllMetrics(override));
  const providers = provider === undefined ? (live.providers ?? [{ name: 'prometheus' }]) : [{ name: provider }];
  return { ...live, providers, overrides: [{ match: { metric: 'ALL_METRICS' }, disabled: !on }, ...others] };
}

function before(live: JsonObject | undefined): { accessLog: boolean; tracing: Json; metrics: boolean } {
  const first = (field: string) => list(at(live, 'spec', field))[0];
  const counted = list(first('metrics')?.overrides).find(isAllMetrics);
  const logs = first('accessLogging');
  return {
    accessLog: logs !== undefined && logs.disabled !== true,
    tracing: first('tracing')?.randomSamplingPercentage ?? 0,
    metrics: counted?.disabled !== true,
  };
}

async function plan({ on, site, settings, signal }: PlanContext<'kube'>, input: Input): Promise<Draft> {
  const { app, env, accessLog, tracing, metrics } = input;
  const said = { accessLog, tracing, metrics };
  if (Object.values(said).every((value) => value === undefined))
    throw fault('BAD_INPUT', { problem: 'Say what is to be told: access-log=on, tracing=10%, metrics=on.' });
  const kube = on.kube(site.cluster);
  const [all, about] = await Promise.all([
    meshList(kube, 'Telemetry', site.namespace, signal),
    app === undefined ? undefined : meshed(kube, settings, { app, env }, signal),
  ]);
  const selector = selectorOf(about?.labels).selector;
  const live = all.find((each) => (about ? same(at(each, 'spec', 'selector'), selector) : isForAll(each)));
  const name = about?.place.workload ?? 'default';
  const base = live ?? meshObject('Telemetry', site.namespace, name, selectorOf(about?.labels));
  const edits = editsOf(base, input);
  const wish: Wish = { kind: 'edit', ref: refOf(base), edits, base };
  const planned = await planWrites(kube, edits.some(changes) ? [wish] : [], signal);
  const was = Object.entries(before(live)).filter(
    ([field]) => input[field === 'tracing' ? 'tracing' : field === 'metrics' ? 'metrics' : 'accessLog'] !== undefined,
  );
  const words = [
    accessLog === undefined ? '' : `access log ${accessLog ? 'on' : 'off'}`,
    tracing === undefined ? '' : `${tracing} % traced`,
    metrics === undefined ? '' : `metrics ${metrics ? 'on' : 'off'}`,
  ];
  return {
    summary: `${about?.place.app ?? site.namespace}: ${words.filter(Boolean).join(', ')}, by Telemetry/${nameIn(base)}${keepersText([live])}`,
    ...planned,
    undo: { operation: 'telemetry', input: { env, ...(app !== undefined && { app }), ...Object.fromEntries(was) } },
  };
}

export const telemetry = defineOperation({
  name: 'telemetry',
  summary: 'Set what the mesh tells of requests: access log, traces, metrics',
  effect: 'change',
  input: Input,
  usage: 'in <env> [app=<app>] [access-log=<accessLog>] [tracing=<tracing>] [metrics=<metrics>] [provider=<provider>]',
  examples: ['in staging access-log=on tracing=10', 'in staging app=web metrics=off'],
  routes: [
    route({
      method: 'PUT',
      path: '/telemetry/:namespace',
      summary: 'Set what the mesh tells of requests',
      request: Input.omit({ env: true }).extend({ namespace: EnvRef }),
      input: ({ namespace, ...input }) => ({ ...input, env: namespace }),
    }),
  ],
  needs: ['kube'],
  permissions: ['get,list,create,patch telemetries.telemetry.istio.io', ...workloadPermissions],
  steps: writeSteps,
  target: ({ app, env }) => (app === undefined ? { env } : { app, env }),
  plan,
  run: (run) => runWrites(run),
});
