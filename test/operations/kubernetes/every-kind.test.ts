import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Clusters, createClusters } from '../../../src/clients/kube/clusters.ts';
import { Fault } from '../../../src/core/errors.ts';
import { at, isObject, type Json, type JsonObject, text } from '../../../src/core/json.ts';
import type { Kube, ObjectRef } from '../../../src/core/kube.ts';
import { foresee } from '../../../src/operations/kubernetes/foresee.ts';
import { bed } from '../../support/bed.ts';
import { freshNamespace, kubectl } from '../../support/kubectl.ts';
import { changed, type Schemas } from '../../support/random-objects.ts';
import { seedDefinition, seeds } from '../../support/seed-objects.ts';
import { withShown } from '../../support/with-shown.ts';

/**
 * Over every kind that the cluster's OpenAPI documents have: what a dry run changes is shown, and what is shown changes.
 * Whoever has the object as it was, and the lines, has the object as it will be.
 */

let clusters: Clusters;
let kube: Kube;
let namespace: string;
const signal = new AbortController().signal;
const name = `seed-${Math.random().toString(36).slice(2, 8)}`;

type Kind = { apiVersion: string; kind: string; schema: JsonObject; schemas: Schemas };
const kinds: Kind[] = [];

const raw = async (path: string): Promise<JsonObject> => JSON.parse(await kubectl(['get', '--raw', path]));
const entriesOf = (value: Json | undefined) => Object.entries(isObject(value) ? value : {});

/** The kinds of a document that can be created, with their schemas. */
function kindsIn(document: JsonObject): Kind[] {
  const schemas = new Map(
    entriesOf(at(document, 'components', 'schemas')).flatMap(([id, each]) => (isObject(each) ? [[id, each]] : [])),
  );
  const created = entriesOf(document.paths).flatMap(([path, methods]) => {
    const of = at(methods, 'post', 'x-kubernetes-group-version-kind');
    return isObject(of) && !path.includes('{name}') ? [of] : [];
  });
  const ids = new Map<string, Kind>();
  for (const { group, version, kind } of created) {
    const apiVersion = text(group) === '' ? text(version) : `${text(group)}/${text(version)}`;
    const schema = [...schemas.values()].find((each) => {
      const list = each['x-kubernetes-group-version-kind'];
      return (Array.isArray(list) ? list : []).some(
        (is) => at(is, 'kind') === kind && at(is, 'group') === group && at(is, 'version') === version,
      );
    });
    if (schema) ids.set(`${apiVersion} ${text(kind)}`, { apiVersion, kind: text(kind), schema, schemas });
  }
  return [...ids.values()];
}

beforeAll(async () => {
  clusters = createClusters({ kubeconfig: bed.kubeconfig });
  kube = clusters.kube('default');
  namespace = await freshNamespace('kinds');
  await kubectl(['apply', '-f', '-'], JSON.stringify(seedDefinition));
  await kubectl(['wait', '--for=condition=Established', 'crd/seeds.seeds.example.com', '--timeout=30s']);
  while (!entriesOf((await raw('/openapi/v3')).paths).some(([id]) => id === 'apis/seeds.example.com/v1'))
    await sleep(200);
  for (const [, each] of entriesOf((await raw('/openapi/v3')).paths))
    kinds.push(...kindsIn(await raw(text(at(each, 'serverRelativeURL')))));
});
const made: string[] = [];
afterAll(async () => {
  for (const each of made) await kubectl(['delete', each, name, '--wait=false', '--ignore-not-found']).catch(() => {});
  await kubectl(['delete', 'crd', 'seeds.seeds.example.com', '--wait=false', '--ignore-not-found']);
  await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  await clusters.close();
});

const chosen = '(chosen by the cluster)';
/** What the server writes by itself and takes from nobody. */
const own = ['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp'];

/** The object as a reader may know it: without what is the server's own. */
function known(object: JsonObject): JsonObject {
  const metadata = Object.entries(isObject(object.metadata) ? object.metadata : {}).filter(
    ([field]) => !own.includes(field),
  );
  const kept = metadata.flatMap(([field, value]): [string, Json][] => {
    if (field !== 'annotations') return [[field, value]];
    const annotations = entriesOf(value).filter(([key]) => !['shipmate.dev/run', 'shipmate.dev/apply'].includes(key));
    return annotations.length > 0 ? [[field, Object.fromEntries(annotations)]] : [];
  });
  const all = JSON.stringify({ ...object, metadata: Object.fromEntries(kept) });
  // The API server gives pods a volume with letters of its choice in its name.
  return JSON.parse(all.replace(/"kube-api-access-[a-z0-9]{5}"/g, `"kube-api-access-${chosen}"`));
}

/** The answer, with the words for what the cluster draws by lot in the same places as in `shown`. */
function drawn(answer: Json | undefined, shown: Json | undefined): Json {
  if (shown === chosen) return chosen;
  if (Array.isArray(answer)) return answer.map((each, index) => drawn(each, at(shown, index)));
  if (!isObject(answer)) return answer ?? null;
  return Object.fromEntries(Object.entries(answer).map(([key, each]) => [key, drawn(each, at(shown, key))]));
}

const refOf = ({ apiVersion, kind }: Kind, wide: boolean): ObjectRef => ({
  apiVersion,
  kind,
  namespace: wide ? '' : namespace,
  name,
});

type Way = 'apply' | 'merge';

/** Tries one change; false where the cluster refuses it. */
async function tryOne(ref: ObjectRef, way: Way, wanted: JsonObject): Promise<boolean> {
  const dryRun = (): Promise<{ after: JsonObject }> =>
    way === 'apply'
      ? kube.preview(wanted, signal)
      : kube.merge(ref, wanted, { dryRun: true }, signal).then((after) => ({ after }));
  try {
    const first = await foresee(kube, { ref, wanted }, dryRun, signal);
    const { after, changes, lists: types } = first;
    // What names a new object is no line of its plan, nor is the status that the cluster begins with.
    const { status: _, ...begun } = after;
    const fresh = {
      apiVersion: ref.apiVersion,
      kind: ref.kind,
      metadata: { name, ...(ref.namespace !== '' && { namespace }) },
    };
    const before = first.before ?? fresh;
    const [is, will] = [known(before), known(first.before || wanted.status !== undefined ? after : begun)];
    const shown = withShown(is, changes, { after: will, types });
    expect(shown, JSON.stringify({ is, changes }, null, 1)).toEqual(drawn(will, shown));
    if (changes.length === 0) expect(will).toEqual(is);
    const again = await foresee(kube, { ref, wanted }, dryRun, signal);
    if (at(again.before, 'metadata', 'resourceVersion') === at(before, 'metadata', 'resourceVersion'))
      expect(again.answer).toBe(first.answer);
    return true;
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.retry === 'never') return false;
    throw thrown;
  }
}

async function take({ apiVersion, kind, schema, schemas }: Kind, object: JsonObject, ref: ObjectRef) {
  let taken = 0;
  const apart = ['apiVersion', 'kind', 'metadata', 'status'];
  const free = Object.fromEntries(entriesOf(schema.properties).filter(([field]) => !apart.includes(field)));
  const property = fc.asyncProperty(fc.gen(), fc.constantFrom<Way>('apply', 'merge'), async (draw, way) => {
    const { metadata: _, apiVersion: __, kind: ___, ...body } = object;
    const next = changed(draw, body, { ...schema, properties: free }, schemas);
    const more = changed(draw, isObject(next) ? next : {}, { ...schema, properties: free }, schemas);
    const labels = draw(fc.constantFrom, {}, { labels: { team: 'a' } }, { annotations: { 'shipmate.dev/x': 'y' } });
    const named: JsonObject = { name, ...(ref.namespace !== '' && { namespace }), ...labels };
    const wanted = { ...(isObject(more) ? more : {}), apiVersion, kind, metadata: named };
    if (await tryOne(ref, way, wanted)) taken++;
  });
  await fc.assert(property, { numRuns: 30, endOnFailure: true });
  return taken;
}

test('whoever has the object as it was, and the lines of its plan, has the object as it will be', {
  timeout: 240_000,
}, async () => {
  const counts: Record<string, number> = {};
  for (const each of kinds) {
    const id = `${each.apiVersion} ${each.kind}`;
    const { clusterWide = false } = await kube.kindOf(each, signal);
    const ref = refOf(each, clusterWide);
    const seed: JsonObject = {
      apiVersion: each.apiVersion,
      kind: each.kind,
      metadata: { name, ...(!clusterWide && { namespace }) },
      ...seeds[id],
    };
    // Questions, and kinds with a twin here; values of Secrets are masked, which the properties of the difference are about.
    if (!seeds[id]) continue;
    expect(await tryOne(ref, 'apply', seed), `new ${id}`).toBe(true);
    await kube.apply(seed, { run: 'seed', force: true }, signal);
    if (clusterWide) made.push(each.kind);
    counts[id] = await take(each, seed, ref);
  }
  expect(Object.keys(counts).sort()).toEqual(Object.keys(seeds).sort());
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  expect(all).toBeGreaterThan(Object.keys(seeds).length * 8);
});
