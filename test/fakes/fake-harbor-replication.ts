import { at, isObject, type Json, type JsonObject, text } from '../../src/core/json.ts';
import { type Answer, byId, error, found, type Handler, type Inside, longAgo } from './fake-harbor-parts.ts';

/** Endpoints and replication of the fake Harbor, as its handlers treat them: src/server/v2.0/handler of goharbor/harbor. */

const times = { creation_time: longAgo, update_time: longAgo };

export const stockedReplication = () => ({
  /** With their passwords, which no answer has. */
  registries: [
    {
      id: 1,
      name: 'dr',
      url: 'https://dr.example.com',
      type: 'harbor',
      status: 'healthy',
      credential: { type: 'basic', access_key: 'robot$here', access_secret: 'planted-old-password' },
      ...times,
    },
    { id: 2, name: 'hub', url: 'https://hub.docker.com', type: 'docker-hub', status: 'healthy', ...times },
  ] as JsonObject[],
  replications: [
    {
      id: 1,
      name: 'to-dr',
      description: '',
      dest_registry: { id: 1 },
      dest_namespace: '',
      dest_namespace_replace_count: 1,
      filters: [],
      trigger: { type: 'manual' },
      deletion: false,
      override: true,
      enabled: true,
      speed: 0,
      copy_by_chunk: false,
      single_active_replication: false,
    },
  ] as JsonObject[],
  replicationRuns: [] as JsonObject[],
});

const local = { id: 0, name: 'Local', url: 'http://core:8080', type: 'harbor', insecure: true, status: 'healthy' };
const pointers = ['dest_namespace_replace_count', 'speed', 'copy_by_chunk', 'single_active_replication', 'id'];

/** Harbor's answers leave out what is false, 0 or empty, but for what its code has as a pointer. */
function terse(body: JsonObject): JsonObject {
  const isEmpty = (value: Json) => !value || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(body).filter(([key, value]) => pointers.includes(key) || !isEmpty(value)));
}

function registryShown(registry: JsonObject): JsonObject {
  const { credential, ...rest } = registry;
  const { access_secret: secret, ...open } = isObject(credential) ? credential : {};
  return terse({ ...rest, credential: terse({ ...open, access_secret: secret ? '*****' : '' }) });
}

/** One that nobody reaches by its name, or with a password that is wrong there. */
const unhealthy = (registry: JsonObject): boolean =>
  text(registry.url).includes('//down.') || at(registry, 'credential', 'access_secret') === 'a-wrong-password';

const duplicate = (all: JsonObject[], name: Json | undefined, id: Json | undefined) =>
  all.some((each) => each.name === name && each.id !== id);

function updated(registry: JsonObject, body: JsonObject): JsonObject {
  const before = isObject(registry.credential) ? registry.credential : {};
  const moved = body.url !== undefined && body.url !== registry.url && body.access_secret === undefined;
  const credential = {
    type: body.credential_type ?? before.type ?? '',
    access_key: body.access_key ?? before.access_key ?? '',
    access_secret: moved ? '' : (body.access_secret ?? before.access_secret ?? ''),
  };
  const { url = registry.url ?? '', insecure = registry.insecure ?? false } = body;
  return { ...registry, url, insecure, ...(credential.access_key !== '' && { credential }) };
}

export function registryHandlers({ state, next }: Inside): Record<string, Handler> {
  const usedBy = (id: string | undefined) =>
    state.replications.some((rule) =>
      [at(rule, 'src_registry', 'id'), at(rule, 'dest_registry', 'id')].includes(Number(id)),
    ) || state.projects.some(({ registry_id: proxied }) => proxied === Number(id));
  return {
    'GET /registries': () => ({ status: 200, body: state.registries.map(registryShown) }),
    'POST /registries': (_params, body) => {
      const wanted = isObject(body) ? body : {};
      if (unhealthy(wanted)) return error(400, 'the registry is unhealthy');
      if (duplicate(state.registries, wanted.name, undefined))
        return error(409, `registry ${text(wanted.name)} already exists`);
      const id = next() + 100;
      state.registries.push({ ...wanted, id, status: 'healthy', ...times });
      return { status: 201, location: `/api/v2.0/registries/${id}` };
    },
    'POST /registries/ping': (_params, body) => {
      const registry = byId(state.registries, String(at(body, 'id')));
      if (!registry) return error(404, 'registry not found');
      return unhealthy(registry) ? error(400, 'the registry is unhealthy') : { status: 200 };
    },
    'PUT /registries/:id': ({ id }, body) => {
      const registry = byId(state.registries, id);
      if (!registry || !isObject(body)) return error(404, `registry ${id} not found`);
      const wanted = updated(registry, body);
      if (unhealthy(wanted)) return error(400, 'the registry is unhealthy');
      state.registries = state.registries.map((each) => (each === registry ? wanted : each));
      return { status: 200 };
    },
    'DELETE /registries/:id': ({ id }) => {
      if (!byId(state.registries, id)) return error(404, `registry ${id} not found`);
      if (usedBy(id)) return error(412, `the registry ${id} is referenced by replication policies, cannot delete it`);
      state.registries = state.registries.filter((each) => String(each.id) !== id);
      return { status: 200 };
    },
    'GET /replication/adapters': () => ({
      status: 200,
      body: ['harbor', 'docker-hub', 'docker-registry', 'aws-ecr', 'quay'],
    }),
  };
}

/** What Harbor's own code says of a rule. */
function refused(rule: JsonObject, registries: JsonObject[]): Answer | undefined {
  const ids = [at(rule, 'src_registry', 'id'), at(rule, 'dest_registry', 'id')].map((id) => Number(id ?? 0));
  const remote = ids.filter((id) => id !== 0);
  if (remote.length !== 1) return error(400, 'either src_registry or dest_registry should be empty');
  if (!byId(registries, String(remote[0]))) return error(400, `registry ${remote[0]} not found`);
  const cron = text(at(rule, 'trigger', 'trigger_settings', 'cron'));
  const scheduled = at(rule, 'trigger', 'type') === 'scheduled';
  if (scheduled && !/^0 [^*]\S*( \S+){4}$/.test(cron))
    return error(400, `invalid cron string for scheduled trigger: ${cron}`);
  return undefined;
}

export function replicationHandlers({ state, next }: Inside): Record<string, Handler> {
  const start = () => new Date().toISOString();
  const shown = ({ src_registry, dest_registry, deletion = false, ...rest }: JsonObject): JsonObject => {
    const side = (registry: Json | undefined) =>
      registryShown({ ...times, ...(byId(state.registries, String(at(registry, 'id') ?? 0)) ?? local) });
    const sides = { src_registry: side(src_registry), dest_registry: side(dest_registry) };
    return terse({ ...rest, ...sides, deletion, replicate_deletion: deletion, ...times });
  };
  // What the description names beside `deletion` the handlers do not read.
  const kept = (body: Json | undefined): JsonObject => {
    const { replicate_deletion: _, ...rest } = isObject(body) ? body : {};
    return rest;
  };
  return {
    'GET /replication/policies': () => ({ status: 200, body: state.replications.map(shown) }),
    'POST /replication/policies': (_params, body) => {
      const rule = kept(body);
      if (duplicate(state.replications, rule.name, undefined))
        return error(409, `replication policy ${text(rule.name)} already exists`);
      const wrong = refused(rule, state.registries);
      if (wrong) return wrong;
      const id = next() + 100;
      state.replications.push({ ...rule, id });
      return { status: 201, location: `/api/v2.0/replication/policies/${id}` };
    },
    'PUT /replication/policies/:id': ({ id }, body) => {
      const before = byId(state.replications, id);
      if (!before) return error(404, `replication policy ${id} not found`);
      const rule = kept(body);
      const wrong = refused(rule, state.registries);
      if (wrong) return wrong;
      state.replications = state.replications.map((each) => (each === before ? { ...rule, id: Number(id) } : each));
      return { status: 200 };
    },
    'DELETE /replication/policies/:id': ({ id }) => {
      if (!byId(state.replications, id)) return error(404, `replication policy ${id} not found`);
      state.replications = state.replications.filter((each) => String(each.id) !== id);
      return { status: 200 };
    },
    'GET /replication/executions': () => ({ status: 200, body: state.replicationRuns }),
    'POST /replication/executions': (_params, body) => {
      const counts = { total: 3, failed: 0, succeed: 3, in_progress: 0, stopped: 0 };
      const run = {
        id: next(),
        policy_id: Number(at(body, 'policy_id')),
        status: 'Succeed',
        trigger: 'manual',
        status_text: '',
      };
      state.replicationRuns.unshift({ ...run, start_time: start(), end_time: start(), ...counts });
      return { status: 201, location: `/api/v2.0/replication/executions/${run.id}` };
    },
    'GET /replication/executions/:id': ({ id }) => found(byId(state.replicationRuns, id), `execution ${id}`),
  };
}
