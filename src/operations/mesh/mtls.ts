import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import { refOf } from '../../core/kube.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { EnvRef, WorkloadRef } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { nameIn } from '../kubernetes/reading.ts';
import { planWrites, runWrites, type Wish, writeSteps } from '../kubernetes/writes.ts';
import { editTo, keepersText, meshList, meshObject, selectorOf } from './objects.ts';
import { isForAll, meshed, workloadPermissions } from './workloads.ts';

const modes = ['strict', 'permissive', 'disable', 'inherit'] as const;

/** What people write, what Istio calls it, and what it means. */
const meanings: Record<(typeof modes)[number], { mode: string; meaning: string }> = {
  strict: { mode: 'STRICT', meaning: 'only calls from inside the mesh are taken' },
  permissive: { mode: 'PERMISSIVE', meaning: 'calls in plain text are taken too' },
  disable: { mode: 'DISABLE', meaning: 'nothing is encrypted, and nobody knows who calls' },
  inherit: { mode: 'UNSET', meaning: 'as the namespace or the mesh has it' },
};

const Input = z.strictObject({
  mode: z
    .preprocess(
      (word) => (typeof word === 'string' ? word.toLowerCase() : word),
      z.enum(modes, `must be one of ${modes.join(', ')}`),
    )
    .describe(modes.map((mode) => `${mode}: ${meanings[mode].meaning}`).join('. ')),
  env: EnvRef,
  app: WorkloadRef.optional().describe('Of one app alone; left out, of the whole namespace'),
  port: z.number().int().min(1).max(65_535).optional().describe('At one port of that app’s pods alone'),
});
type Input = z.output<typeof Input>;

const modeCalled = (mode: string) => modes.find((each) => meanings[each].mode === mode) ?? 'inherit';

/** The PeerAuthentication that says it now. @throws Fault BAD_INPUT where there are two: which of them counts is their age's matter */
function policyFor(all: readonly JsonObject[], labels: JsonObject | undefined): JsonObject | undefined {
  const selector = selectorOf(labels).selector;
  const found = all.filter((policy) =>
    labels === undefined
      ? isForAll(policy)
      : JSON.stringify(at(policy, 'spec', 'selector')) === JSON.stringify(selector),
  );
  const [only, second] = found;
  if (!second) return only;
  const names = found.map(nameIn).join(' and ');
  throw fault('BAD_INPUT', {
    problem: `Several PeerAuthentications are about the same pods (${names}): delete all but one.`,
  });
}

async function plan(
  { on, site, settings, signal }: PlanContext<'kube'>,
  { mode, env, app, port }: Input,
): Promise<Draft> {
  if (port !== undefined && app === undefined)
    throw fault('BAD_INPUT', { problem: 'A port is one of an app: name the app too, with app=web.' });
  const kube = on.kube(site.cluster);
  const [all, about] = await Promise.all([
    meshList(kube, 'PeerAuthentication', site.namespace, signal),
    app === undefined ? undefined : meshed(kube, settings, { app, env }, signal),
  ]);
  const name = about?.place.workload ?? 'default';
  const live = policyFor(all, about?.labels);
  const base = live ?? meshObject('PeerAuthentication', site.namespace, name, selectorOf(about?.labels));
  const path = port === undefined ? ['mtls', 'mode'] : ['portLevelMtls', String(port), 'mode'];
  const before = text(at(base, 'spec', ...path));
  const edits = [editTo(base, ['spec', ...path], meanings[mode].mode)];
  const wish: Wish = { kind: 'edit', ref: refOf(base), edits, base };
  const planned = await planWrites(kube, before === meanings[mode].mode ? [] : [wish], signal);
  const where = `${about?.place.app ?? `all of ${site.namespace}`}${port === undefined ? '' : ` at ${port}`}`;
  return {
    summary: `mTLS of ${where}: ${mode}, ${meanings[mode].meaning}${keepersText([live])}`,
    ...planned,
    undo: {
      operation: 'mtls',
      input: { mode: modeCalled(before), env, ...(app !== undefined && { app }), ...(port !== undefined && { port }) },
    },
  };
}

export const mtls = defineOperation({
  name: 'mtls',
  summary: 'Set whether pods take calls in plain text, or only encrypted ones from inside the mesh',
  effect: 'change',
  input: Input,
  usage: '<mode> in <env> [app=<app>] [port=<port>]',
  examples: ['strict in staging', 'permissive in staging app=web port=8080'],
  routes: [
    route({
      method: 'PUT',
      path: '/mtls/:namespace',
      summary: 'Set the mTLS mode of a namespace, or of an app in it',
      request: Input.omit({ env: true }).extend({ namespace: EnvRef }),
      input: ({ namespace, ...input }) => ({ ...input, env: namespace }),
    }),
  ],
  needs: ['kube'],
  permissions: ['get,list,create,patch peerauthentications.security.istio.io', ...workloadPermissions],
  steps: writeSteps,
  target: ({ app, env }) => (app === undefined ? { env } : { app, env }),
  plan,
  run: (run, { mode }) => runWrites(run, `From now on ${meanings[mode].meaning}.`),
});
