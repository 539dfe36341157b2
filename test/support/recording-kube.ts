import { kindNamed } from '../../src/clients/kube/resources.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { at, text } from '../../src/core/json.ts';
import { type Kind, knownKind } from '../../src/core/kinds.ts';
import type { Kube, ObjectRef } from '../../src/core/kube.ts';
import { hasReplicaSets } from '../../src/core/observed.ts';

/** Something that RBAC is asked about: `get deployments.apps`, with `everywhere` where it is not in one namespace. */
export type Used = (need: string) => void;

const needOf = (verb: string, { apiVersion, plural }: Kind, subresource = '', everywhere = false) => {
  const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : '';
  return `${verb} ${plural}${subresource && `/${subresource}`}${group}${everywhere ? ' everywhere' : ''}`;
};

/** The same cluster, noting which permissions the client of src/clients/kube needs for what is asked of it. */
export function recordingKube(kube: Kube, used: Used): Kube {
  const of = ({ apiVersion, kind }: { apiVersion: string; kind: string }): Kind =>
    knownKind(kind, apiVersion) ?? {
      apiVersion,
      kind,
      plural: `${kind.toLowerCase()}s`.replace(/([^aeiou])ys$/, '$1ies'),
    };
  const note = (verbs: string, kind: Kind, subresource = '', namespace?: string) => {
    const everywhere = namespace === '' && !kind.clusterWide;
    for (const verb of verbs.split(',')) used(needOf(verb, kind, subresource, everywhere));
  };
  const pods = kindNamed('Pod');
  const applied = async (manifest: JsonObject) => {
    const ref: ObjectRef = {
      apiVersion: text(manifest.apiVersion),
      kind: text(manifest.kind),
      namespace: text(at(manifest, 'metadata', 'namespace')),
      name: text(at(manifest, 'metadata', 'name')),
    };
    note('patch', of(ref));
    if (!(await kube.read(ref, new AbortController().signal))) note('create', of(ref));
  };
  const picture = (ref: ObjectRef) => {
    note('list,watch', pods);
    if (hasReplicaSets(ref.kind)) note('list,watch', kindNamed('ReplicaSet'));
  };
  const revisions = (ref: ObjectRef) => {
    note('get', of(ref));
    note('list', kindNamed(hasReplicaSets(ref.kind) ? 'ReplicaSet' : 'ControllerRevision'));
  };
  return {
    ...kube,
    read: async (ref, signal) => {
      note('get', of(ref));
      return await kube.read(ref, signal);
    },
    list: async (selection, signal) => {
      note('list', of(selection), '', selection.namespace);
      return await kube.list(selection, signal);
    },
    look: async (kind, namespace, signal) => {
      note('list,watch', typeof kind === 'string' ? kindNamed(kind) : of(kind), '', namespace);
      return await kube.look(kind, namespace, signal);
    },
    preview: async (manifest, signal) => {
      await applied(manifest);
      return await kube.preview(manifest, signal);
    },
    apply: async (manifest, options, signal) => {
      await applied(manifest);
      return await kube.apply(manifest, options, signal);
    },
    create: async (manifest, options, signal) => {
      const kind = of({ apiVersion: text(manifest.apiVersion), kind: text(manifest.kind) });
      // Anybody may ask what they themselves may do.
      if (!kind.kind.startsWith('SelfSubject')) note('create', kind);
      return await kube.create(manifest, options, signal);
    },
    merge: async (ref, patch, options, signal) => {
      note('patch', of(ref), options.subresource);
      return await kube.merge(ref, patch, options, signal);
    },
    remove: async (ref, options, signal) => {
      note('delete', of(ref));
      return await kube.remove(ref, options, signal);
    },
    evict: async (ref, signal) => {
      note('create', pods, 'eviction');
      return await kube.evict(ref, signal);
    },
    logs: (ref, options, signal) => {
      note('get', pods, 'log');
      return kube.logs(ref, options, signal);
    },
    exec: async (ref, options, signal) => {
      note('get,create', pods, 'exec');
      return await kube.exec(ref, options, signal);
    },
    ask: async (...args) => {
      note('get', kindNamed('Service'), 'proxy');
      return await kube.ask(...args);
    },
    follow: async (ref, options, signal) => {
      note('get,list,watch', of(ref));
      picture(ref);
      note('get', pods, 'log');
      return await kube.follow(ref, options, signal);
    },
    workload: async (ref, signal, seen) => {
      if (!seen) note('get', of(ref));
      picture(ref);
      note('get', pods, 'log');
      return await kube.workload(ref, signal, seen);
    },
    revisions: async (ref, signal) => {
      revisions(ref);
      return await kube.revisions(ref, signal);
    },
    allRevisions: async (ref, signal) => {
      revisions(ref);
      return await kube.allRevisions(ref, signal);
    },
  };
}
