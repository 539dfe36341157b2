import { fault } from '../../core/errors.ts';
import { at, isObject, type Json, type JsonObject } from '../../core/json.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import { runAnnotation } from '../../core/lost-run.ts';
import { overlay } from '../../core/ownership.ts';

/**
 * The JSON merge patch (RFC 7386) that makes `after` of `before`: what is gone is set to null, lists are replaced whole.
 */
export function patchBetween(before: JsonObject, after: JsonObject): JsonObject {
  const patch: JsonObject = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [from, to] = [before[key], after[key]];
    if (to === undefined) patch[key] = null;
    else if (isObject(from) && isObject(to)) {
      const inner = patchBetween(from, to);
      if (Object.keys(inner).length > 0) patch[key] = inner;
    } else if (JSON.stringify(from) !== JSON.stringify(to)) patch[key] = to;
  }
  return patch;
}

const specOf = (object: JsonObject): JsonObject => (isObject(object.spec) ? object.spec : {});

/**
 * The patch that lays a manifest over an object whose lists server-side apply would replace: those of custom resources,
 * unless their definition says how the entries are told apart.
 */
function overlayPatch(live: JsonObject, manifest: JsonObject): JsonObject {
  const spec: Json = overlay(specOf(live), specOf(manifest));
  return { spec: patchBetween(specOf(live), isObject(spec) ? spec : {}) };
}

/** What `mergeManifest` would make of the object. Changes nothing. */
export async function previewMerge(
  kube: Kube,
  ref: ObjectRef,
  live: JsonObject,
  manifest: JsonObject,
  signal: AbortSignal,
): Promise<JsonObject> {
  return await kube.merge(ref, overlayPatch(live, manifest), { dryRun: true }, signal);
}

const tries = 5;

/**
 * Lays a manifest over an object as it is now, so that what others changed meanwhile stays; a change in the very moment
 * between reading and writing is noticed by its version, and it is tried again.
 */
export async function mergeManifest(
  kube: Kube,
  ref: ObjectRef,
  manifest: JsonObject,
  run: string,
  signal: AbortSignal,
): Promise<void> {
  for (let left = tries; ; left--) {
    const live = await kube.read(ref, signal);
    if (!live) throw fault('GONE_MEANWHILE', { namespace: ref.namespace, workload: ref.name });
    const resourceVersion = at(live, 'metadata', 'resourceVersion') ?? null;
    const metadata = { resourceVersion, annotations: { [runAnnotation]: run } };
    try {
      await kube.merge(ref, { metadata, ...overlayPatch(live, manifest) }, {}, signal);
      return;
    } catch (thrown) {
      const now = await kube.read(ref, signal);
      if (left <= 1 || at(now, 'metadata', 'resourceVersion') === resourceVersion) throw thrown;
    }
  }
}
