import { same } from './edits.ts';
import { at, digestOf, isObject, type Json, type JsonObject, text } from './json.ts';
import { settled } from './settled.ts';

/**
 * What the API server answers to a dry run, made fit to be compared with its answer to the same dry run a while later: a plan
 * is bound to the whole of it. What is drawn by lot is named as such; what controllers write all the time, and the write
 * leaves as it is, does not count.
 */

/** Stands for what the cluster chooses anew at each try. */
const chosen = '(chosen by the cluster)';

/** Names that the API server ends with letters of its own choice. */
const ownNames = /^(kube-api-access-)[a-z0-9]{5}$/;

/** A copy in which each text is what `act` makes of it. */
function mapped(value: Json, act: (text: string) => string): Json {
  if (typeof value === 'string') return act(value);
  if (Array.isArray(value)) return value.map((each) => mapped(each, act));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapped(each, act)]));
}

const list = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

/** The ports of a Service, with the node's ports named as drawn where neither the write nor the object as it was says them. */
function portsOf(ports: Json, before: Json | undefined, wanted: Json | undefined): Json {
  const said = new Set([...list(before), ...list(wanted)].flatMap((port) => at(port, 'nodePort') ?? []));
  return list(ports).map((port) =>
    isObject(port) && port.nodePort !== undefined && !said.has(port.nodePort) ? { ...port, nodePort: chosen } : port,
  );
}

function drawnForService(spec: JsonObject, before: Json | undefined, wanted: Json | undefined): JsonObject {
  const drawn = ['clusterIP', 'clusterIPs', 'healthCheckNodePort'].filter(
    (field) =>
      spec[field] !== undefined &&
      spec[field] !== 'None' &&
      !same(spec[field], ['None']) &&
      !same(spec[field], at(before, field)) &&
      !same(spec[field], at(wanted, field)),
  );
  return {
    ...spec,
    ...Object.fromEntries(drawn.map((field) => [field, chosen])),
    ...(spec.ports !== undefined && { ports: portsOf(spec.ports, at(before, 'ports'), at(wanted, 'ports')) }),
  };
}

/** What a dry run was of: the object as it was, what was sent, and what came back. */
export type Tried = { before: JsonObject | undefined; wanted: JsonObject; after: JsonObject };

/** The answer with what the cluster draws by lot named as such. */
function steady({ before, wanted, after }: Tried): JsonObject {
  const uid = before === undefined ? text(at(after, 'metadata', 'uid')) : '';
  const named = mapped(after, (each) => (uid !== '' && each === uid ? chosen : each.replace(ownNames, `$1${chosen}`)));
  const own = isObject(named) ? named : after;
  const { metadata, spec } = own;
  const generated = before === undefined && at(wanted, 'metadata', 'name') === undefined;
  return {
    ...own,
    ...(generated && isObject(metadata) && { metadata: { ...metadata, name: chosen } }),
    ...(after.kind === 'Service' && isObject(spec) && { spec: drawnForService(spec, at(before, 'spec'), wanted.spec) }),
  };
}

/** The answer as it is shown: the status that the cluster begins a new object with is nobody's wish. */
export function answered(tried: Tried): JsonObject {
  const { status, ...own } = steady(tried);
  const isTold = tried.before !== undefined || tried.wanted.status !== undefined;
  return isTold && status !== undefined ? { ...own, status } : own;
}

/** Without the fields below `fields` (as `metadata.managedFields` names them) that are as they were. */
function withoutUntouched(now: JsonObject, before: Json | undefined, fields: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(now).flatMap(([name, value]): [string, Json][] => {
      const [inside, was] = [fields[`f:${name}`], at(before, name)];
      if (!isObject(inside)) return [[name, value]];
      const deeper = Object.keys(inside).some((field) => field.startsWith('f:'));
      if (deeper && isObject(value)) return [[name, withoutUntouched(value, was, inside)]];
      return same(value, was) ? [] : [[name, value]];
    }),
  );
}

/** What controllers write on what they make pods of: how far they are, which revision it is, and how many an autoscaler wants. */
const controlled = {
  'f:status': {},
  'f:spec': { 'f:replicas': {} },
  'f:metadata': {
    'f:annotations': { 'f:deployment.kubernetes.io/revision': {}, 'f:rollout.argoproj.io/revision': {} },
  },
};

/**
 * The hash of all that an answer says. Left out is only what others keep writing in a way of their own (the status; the
 * replicas, which an autoscaler sets through `scale`) where the write does not touch it: a plan would fit no longer with
 * every new count.
 */
export function answerOf(tried: Tried): string {
  const { before, after } = tried;
  const apart = list(at(after, 'metadata', 'managedFields')).flatMap((entry) => {
    const fields = at(entry, 'fieldsV1');
    return text(at(entry, 'subresource')) !== '' && isObject(fields) ? [fields] : [];
  });
  const all = [controlled, ...apart];
  return digestOf(
    all.reduce<JsonObject>(
      (left, fields) => withoutUntouched(left, before && settled(before), fields),
      settled(steady(tried)),
    ),
  );
}
