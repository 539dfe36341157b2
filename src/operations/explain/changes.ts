import { actorId, personOf } from '../../core/actor.ts';
import { at, isObject, type Json, type JsonObject, text } from '../../core/json.ts';
import { list, number } from '../../core/observed.ts';
import type { Evidence } from '../../core/report.ts';
import type { Run } from '../../core/run.ts';
import type { Settings } from '../../core/settings.ts';
import { type Picture, seenAt } from './picture.ts';

const most = { changes: 4, warnings: 3, fields: 4 };

/** `k:{"name":"web"}` of FieldsV1 as `[web]`. https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
function entryName(field: string): string {
  const keys: unknown = JSON.parse(field.slice(2));
  return isObject(keys) ? `[${Object.values(keys).map(String).join(',')}]` : `[${String(keys)}]`;
}

/** The fields that a manager owns, leaf by leaf: `spec.replicas`, `containers[web].image`. */
function leaves(fields: Json | undefined, path = ''): string[] {
  const names = isObject(fields) ? Object.entries(fields).filter(([name]) => name !== '.') : [];
  if (names.length === 0) return path === '' ? [] : [path];
  return names.flatMap(([name, below]) => {
    const list = name.startsWith('k:') || name.startsWith('v:');
    const part = list ? entryName(name) : name.slice(2);
    return leaves(below, list ? `${path}${part}` : [path, part].filter(Boolean).join('.'));
  });
}

/** What the API server fills in, and nobody wants. */
const dull =
  /progressDeadline|revisionHistory|terminationMessage|dnsPolicy|restartPolicy|schedulerName|imagePullPolicy|terminationGrace|^strategy|^selector|completionMode|manualSelector|podReplacement|\.name$|\.protocol$/;
/** What changes of an app are mostly about comes first. */
const telling = [/image$/, /^replicas$/, /env/, /command|args/, /resources/, /Probe/, /ports/, /volume/];

const rank = (path: string) => {
  const found = telling.findIndex((pattern) => pattern.test(path));
  return found < 0 ? telling.length : found;
};

/** `[web].env` for all that is below it; `replicas`. */
const shortPath = (path: string) =>
  path.replace(/^spec\.(template\.spec\.)?(containers(?=\[))?/, '').replace(/^(\[[^\]]*\]\.\w+).*$/s, '$1');

function fieldWords(fields: Json | undefined): string {
  const paths = leaves(fields).filter((path) => path.startsWith('spec.'));
  const own = [...new Set(paths.map(shortPath))].filter((path) => path !== '' && !dull.test(path));
  const first = own.sort((a, b) => rank(a) - rank(b)).slice(0, most.fields);
  const rest = own.length - first.length;
  return [first.join(', ') || 'labels or annotations', ...(rest > 0 ? [`and ${rest} more`] : [])].join(' ');
}

/** Whoever set fields of the workload, without what controllers write into its status. */
function managers({ workload }: Pick<Picture, 'workload'>): Evidence[] {
  return list(at(workload, 'metadata', 'managedFields'))
    .filter(({ subresource, manager }) => subresource !== 'status' && manager !== 'kube-controller-manager')
    .filter(({ manager }) => manager !== 'shipmate')
    .map(({ manager, time, fieldsV1 }) => ({
      at: Date.parse(text(time)),
      what: `${text(manager)} set`,
      detail: fieldWords(fieldsV1),
    }));
}

function runs(history: readonly Run[], settings: Settings): Evidence[] {
  return history.map(({ id, actor, operation, plan, state, updatedAt }) => ({
    at: updatedAt,
    what: `${personOf(settings, actor) ?? actorId(actor)} asked for ${operation}`,
    detail: `${plan?.summary ?? ''} (${state}, run ${id})`,
  }));
}

/** Who changed the app last: by Shipmate's own runs, and by what the cluster has of others. */
export function lastChanges(picture: Pick<Picture, 'workload' | 'history'>, settings: Settings): Evidence[] {
  const all = [...runs(picture.history, settings), ...managers(picture)];
  return all.sort((a, b) => (b.at ?? 0) - (a.at ?? 0)).slice(0, most.changes);
}

/** What nodes say of all pods alike. */
const noise = new Set(['MissingClusterDNS', 'DNSConfigForming']);

const objectName = (event: JsonObject) =>
  `${text(at(event, 'involvedObject', 'kind')).toLowerCase()}/${text(at(event, 'involvedObject', 'name'))}`;

/** The newest warnings of the cluster, each of its kind once. */
export function lastWarnings({ events }: Pick<Picture, 'events'>): Evidence[] {
  const seen = new Set<string>();
  const kinds = events.filter(({ reason, involvedObject }) => {
    const kind = `${text(reason)} ${text(at(involvedObject, 'kind'))}`;
    const first = !seen.has(kind) && !noise.has(text(reason));
    seen.add(kind);
    return first;
  });
  return kinds.slice(0, most.warnings).map((event) => {
    const times = Math.max(1, number(event.count), number(at(event, 'series', 'count')));
    return {
      at: seenAt(event),
      what: `${text(event.reason)} ${objectName(event)}`,
      detail: `${text(event.message).slice(0, 300)}${times > 1 ? ` (${times} times)` : ''}`,
    };
  });
}
