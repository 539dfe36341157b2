import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { environmentsBehind } from '../../core/apps.ts';
import { Fault, fault } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { type Kind, kinds } from '../../core/kinds.ts';
import type { Kube } from '../../core/kube.ts';
import { Label } from '../../core/name-pattern.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { EnvRef, type Site } from '../../core/place.ts';
import type { Settings } from '../../core/settings.ts';
import { some } from '../../core/some.ts';
import { isSystemNamespace } from '../../core/system-namespaces.ts';
import { stuckWhy } from './namespaces.ts';
import { isKept, nameIn } from './reading.ts';
import { missing, planWrites, runWrites } from './writes.ts';

/** Kinds that come and go by themselves, or may not be listed. */
const uncounted = new Set([
  'Pod',
  'ReplicaSet',
  'ControllerRevision',
  'EndpointSlice',
  'Event',
  'PodMetrics',
  'Secret',
]);
const counted: readonly Kind[] = kinds.filter((kind: Kind) => !kind.clusterWide && !uncounted.has(kind.kind));
const madeByKubernetes = new Set(['ConfigMap/kube-root-ca.crt', 'ServiceAccount/default']);

/** Names of what people made; undefined where Shipmate may not look. */
async function namesOf(kube: Kube, { apiVersion, kind }: Kind, namespace: string, signal: AbortSignal) {
  let objects: JsonObject[] = [];
  try {
    objects = await kube.list({ apiVersion, kind, namespace }, signal);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'CLUSTER_FORBIDDEN') return undefined;
    if (!(thrown instanceof Fault) || thrown.code !== 'UNKNOWN_KIND') throw thrown;
  }
  return objects
    .filter((object) => !isKept(object) && !madeByKubernetes.has(`${kind}/${nameIn(object)}`))
    .map(nameIn)
    .sort();
}

/** What people made in the namespace, by kind: what would be gone with it. */
async function contentsOf(kube: Kube, namespace: string, signal: AbortSignal) {
  const found = await Promise.all(
    counted.map(async (kind) => ({ kind: kind.kind, names: await namesOf(kube, kind, namespace, signal) })),
  );
  return {
    seen: found.flatMap(({ kind, names = [] }) => (names.length > 0 ? [{ kind, names }] : [])),
    unseen: found.flatMap(({ kind, names }) => (names === undefined ? [kind] : [])),
  };
}

/** @throws Fault PROTECTED, BAD_INPUT */
function checkWish(settings: Settings, site: Site, { name, again }: { name: string; again: string }): void {
  const protectedBy = (why: string, way: string) => fault('PROTECTED', { kind: 'Namespace', name, why, way });
  if (isSystemNamespace(name)) throw protectedBy('the cluster itself lives there', 'Nothing was changed.');
  if (again !== name)
    throw fault('BAD_INPUT', { problem: `The name must be given twice: “${name}” and “${again}” differ.` });
  const [first] = environmentsBehind(settings, name);
  if (first === undefined || site.namespace === name) return;
  const why = `it is the environment “${first}” of shipmate.yaml, and “${site.env}” was named`;
  throw protectedBy(why, `If that is what you want, ask for it in ${first}.`);
}

async function untilGone(
  kube: Kube,
  name: string,
  deadline: number,
  note: (text: string) => void,
  signal: AbortSignal,
) {
  for (;;) {
    const live = await kube.read({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name }, signal);
    if (!live) return undefined;
    const why = stuckWhy(live);
    if (Date.now() > deadline) return why || 'it is still being deleted';
    note(why || 'being deleted');
    await sleep(1_000, undefined, { signal });
  }
}

export const namespaceDelete = defineOperation({
  name: 'namespace-delete',
  summary: 'Delete a namespace with everything in it; its name is given twice',
  effect: 'change',
  input: z.strictObject({
    name: Label.describe('The namespace').meta({ examples: ['old-preview'] }),
    again: Label.describe('The same name again').meta({ examples: ['old-preview'] }),
    env: EnvRef,
  }),
  usage: '<name> <again> in <env>',
  examples: ['old-preview old-preview in staging'],
  routes: [
    route({
      method: 'DELETE',
      path: '/namespaces/:name',
      summary: 'Delete a namespace with everything in it',
      request: z.object({ name: Label, again: Label, env: EnvRef }),
      input: (input) => input,
    }),
  ],
  needs: ['kube'],
  permissions: [
    'get,list,delete namespaces everywhere',
    `list ${counted.map(({ plural, apiVersion }) => [plural, ...apiVersion.split('/').slice(0, -1)].join('.')).join(',')} everywhere`,
  ],
  steps: ['write', 'gone'],
  limits: { run: 26 * 3_600_000, steps: { gone: 25 * 3_600_000 } },
  target: ({ env }) => ({ env }),
  plan: async ({ on, site, settings, signal }, input) => {
    checkWish(settings, site, input);
    const { name } = input;
    const kube = on.kube(site.cluster);
    const ref = { apiVersion: 'v1', kind: 'Namespace', namespace: '', name };
    if (!(await kube.read(ref, signal))) {
      const known = await kube.list({ apiVersion: 'v1', kind: 'Namespace', namespace: '' }, signal);
      throw missing(ref, didYouMean(name, known.map(nameIn)));
    }
    const [planned, contents] = await Promise.all([
      planWrites(kube, [{ kind: 'remove', ref }], signal),
      contentsOf(kube, name, signal),
    ]);
    const inside = contents.seen.map(({ kind, names }) => ({
      path: `in it: ${kind}`,
      from: `${names.length}: ${some(names)}`,
    }));
    const unseen = contents.unseen.length > 0 ? `; Shipmate may not see ${some(contents.unseen)} there` : '';
    const total = contents.seen.map(({ kind, names }) => `${names.length} ${kind}`).join(', ');
    return {
      ...planned,
      summary: `deletes the namespace ${name} with ${total || 'nothing that people made'}; Secrets and kinds that Shipmate does not know go too${unseen}`,
      changes: [...planned.changes, ...inside],
    };
  },
  run: async (run, { name }) => {
    const report = await runWrites(run);
    const left = await run.step('gone', ({ startedAt, note, signal }) => {
      const deadline = startedAt + run.site.rolloutTimeoutSeconds * 1_000;
      return untilGone(run.on.kube(run.site.cluster), name, deadline, note, signal);
    });
    if (left === undefined || report.kind !== 'changed') return report;
    return { ...report, note: `It is stuck in Terminating: ${left}` };
  },
});
