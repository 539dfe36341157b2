import { at, isObject, type Json, type JsonObject } from '../../core/json.ts';

/** Who wrote which field and what was applied last would be half of an object, and nobody looks at them in a picture. */
const ledger = 'kubectl.kubernetes.io/last-applied-configuration';

/** What nobody asks of the pods of a picture: a pod's variables and mounts are its workload's, and are read there. */
const unseenInContainer = new Set([
  'volumeMounts',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'imagePullPolicy',
  'lifecycle',
]);
const unseenInPod = new Set([
  'tolerations',
  'dnsPolicy',
  'schedulerName',
  'enableServiceLinks',
  'preemptionPolicy',
  'restartPolicy',
  'terminationGracePeriodSeconds',
]);

/** Texts that thousands of objects share are kept once. */
const texts = new Map<string, string>();
const mostTexts = 20_000;

function shared(text: string): string {
  const known = texts.get(text);
  if (known !== undefined) return known;
  if (texts.size >= mostTexts) texts.clear();
  texts.set(text, text);
  return text;
}

/** The value with each of its texts shared. */
function compact(value: Json): Json {
  if (typeof value === 'string') return shared(value);
  if (Array.isArray(value)) return value.map(compact);
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [key, part] of Object.entries(value)) result[key] = compact(part);
  return result;
}

const without = (object: JsonObject, unseen: ReadonlySet<string>): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !unseen.has(key)));

/** A container without the values of its variables; those that come from elsewhere say from where. */
function slimContainer(container: Json): Json {
  if (!isObject(container)) return container;
  const { env, ...rest } = without(container, unseenInContainer);
  const from = Array.isArray(env) ? env.filter((entry) => at(entry, 'valueFrom') !== undefined) : [];
  return from.length > 0 ? { ...rest, env: from } : rest;
}

function slimPodSpec(spec: JsonObject): JsonObject {
  const slimmed = without(spec, unseenInPod);
  for (const list of ['containers', 'initContainers', 'ephemeralContainers']) {
    const containers = slimmed[list];
    if (Array.isArray(containers)) slimmed[list] = containers.map(slimContainer);
  }
  return slimmed;
}

/**
 * An object as a picture keeps it. A cluster has thousands of pods, so of them only what is shown or judged by: their own
 * variables, mounts and tolerations are left out.
 */
export function slim(object: JsonObject): JsonObject {
  const { managedFields: _, annotations, ...metadata } = isObject(object.metadata) ? object.metadata : {};
  const { [ledger]: _applied, ...own } = isObject(annotations) ? annotations : {};
  const kept = { ...object, metadata: isObject(annotations) ? { ...metadata, annotations: own } : metadata };
  const seen: JsonObject =
    object.kind === 'Pod' && isObject(object.spec) ? { ...kept, spec: slimPodSpec(object.spec) } : kept;
  const result = compact(seen);
  return isObject(result) ? result : object;
}
