import type { Harbor } from '../../src/core/harbor.ts';
import { at, isObject, type Json, type JsonObject, text } from '../../src/core/json.ts';
import {
  type Answer,
  byId,
  error,
  found,
  type Handler,
  type Inside,
  longAgo,
  type State,
} from './fake-harbor-parts.ts';
import { registryHandlers, replicationHandlers, stockedReplication } from './fake-harbor-replication.ts';
import { contract } from './harbor-contract.ts';

type Asked = { method: string; path: readonly string[]; query?: Record<string, string>; body?: Json | undefined };

const never = '0001-01-01T00:00:00.000Z';
const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`;

const reportForm = 'application/vnd.security.vulnerability.report; version=1.1';
const vulnerability = (id: string, severity: string, fix_version: string): JsonObject => ({
  id,
  package: 'openssl',
  version: '1.1',
  fix_version,
  severity,
});

function overview(n: number, status: string, startedAt: string): JsonObject {
  const summary = { total: 2, fixable: 1, summary: { Critical: 1, Low: 1 } };
  const times = { start_time: startedAt, end_time: startedAt, duration: 3, complete_percent: 100 };
  return { [reportForm]: { report_id: `r${n}`, scan_status: status, severity: 'Critical', summary, ...times } };
}

export function stocked() {
  const tag = (name: string, artifact: number): JsonObject => ({
    id: artifact,
    repository_id: 1,
    artifact_id: artifact,
    name,
    push_time: longAgo,
    pull_time: never,
    immutable: false,
  });
  const artifact = (id: number, letter: string, tags: string[]): JsonObject => ({
    id,
    type: 'IMAGE',
    media_type: 'application/vnd.oci.image.config.v1+json',
    project_id: 1,
    repository_id: 1,
    repository_name: 'team/web',
    digest: digestOf(letter),
    size: 1_048_576 * id,
    push_time: longAgo,
    pull_time: never,
    tags: tags.map((name) => tag(name, id)),
    accessories: [],
  });
  const project = (project_id: number, name: string, more: JsonObject = {}): JsonObject => ({
    project_id,
    name,
    owner_id: 1,
    repo_count: 1,
    creation_time: longAgo,
    update_time: longAgo,
    metadata: { public: 'false', ...more },
  });
  const quota = (id: number, name: string, hard: number): JsonObject => ({
    id,
    ref: { id, name, owner_name: 'admin' },
    hard: { storage: hard },
    used: { storage: 6 * 1_024 ** 3 },
    creation_time: longAgo,
    update_time: longAgo,
  });
  const rights = [{ kind: 'project', namespace: 'team', access: [{ resource: 'repository', action: 'pull' }] }];
  const robot = {
    id: 1,
    name: 'robot$team+ci',
    description: '',
    level: 'project',
    duration: 30,
    editable: true,
    disable: false,
    expires_at: 1_800_000_000,
    permissions: rights,
    creation_time: longAgo,
    update_time: longAgo,
  };
  const rule = {
    action: 'retain',
    template: 'latestPushedK',
    params: { latestPushedK: 10 },
    tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: '**', extras: '{"untagged":true}' }],
    scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
  };
  return {
    projects: [project(1, 'team', { retention_id: '1' }), project(2, 'base')],
    artifacts: [artifact(1, 'a', ['v1']), artifact(2, 'b', ['v2', 'latest'])],
    robots: [robot] as JsonObject[],
    retentions: [
      {
        id: 1,
        algorithm: 'or',
        rules: [rule],
        trigger: { kind: 'Schedule', settings: { cron: '0 0 3 * * *' } },
        scope: { level: 'project', ref: 1 },
      },
    ] as JsonObject[],
    retentionRuns: [] as JsonObject[],
    ...stockedReplication(),
    quotas: [quota(1, 'team', 10 * 1_024 ** 3), quota(2, 'base', -1)],
  };
}

export type FakeHarbor = {
  /** Answers as Harbor does, checked by the contract in both directions. */
  answer(asked: Asked): Answer;
  /** The same as a client, without a network. */
  client: Harbor;
  state: State;
  /** Secrets that it gave out, newest last. */
  secrets: string[];
  /** How a scan goes on: each look takes the next of them, and the last one stays. */
  scans: string[];
};

const tagNames = ({ tags }: JsonObject): string[] =>
  (Array.isArray(tags) ? tags : []).map((each) => text(at(each, 'name')));

function giveSecret({ secrets }: Inside): string {
  secrets.push(`planted-secret-${secrets.length + 1}`);
  return secrets.at(-1) ?? '';
}

/** A scan takes its next state at each look. */
function look({ scans }: Inside, artifact: JsonObject): JsonObject {
  const report = isObject(artifact.scan_overview) ? artifact.scan_overview[reportForm] : undefined;
  if (!isObject(report) || ['Success', 'Error'].includes(text(report.scan_status))) return artifact;
  const status = scans.length > 1 ? (scans.shift() ?? '') : (scans[0] ?? '');
  artifact.scan_overview = { [reportForm]: { ...report, scan_status: status } };
  return artifact;
}

function imageHandlers(inside: Inside): Record<string, Handler> {
  const { state } = inside;
  const artifact = '/projects/:project/repositories/:repository/artifacts/:reference';
  const on = (
    act: (artifact: JsonObject, params: Record<string, string>, body: Json | undefined) => Answer,
  ): Handler => {
    return (params, body) => {
      const { project, repository, reference = '' } = params;
      const known = `${project}/${repository}` === 'team/web' ? state.artifacts : [];
      const one = known.find((each) => each.digest === reference || tagNames(each).includes(reference));
      return one ? act(one, params, body) : error(404, `artifact ${project}/${repository}:${reference} not found`);
    };
  };
  return {
    'GET /projects/:project/repositories/:repository/artifacts': ({ project, repository }) =>
      `${project}/${repository}` === 'team/web'
        ? { status: 200, body: state.artifacts }
        : error(404, 'repository not found'),
    [`GET ${artifact}`]: on((one) => ({ status: 200, body: look(inside, one) })),
    [`POST ${artifact}/scan`]: on((one) => {
      const n = inside.next();
      one.scan_overview = overview(n, 'Pending', new Date(Date.parse(longAgo) + n * 1_000).toISOString());
      return { status: 202 };
    }),
    [`GET ${artifact}/additions/vulnerabilities`]: on(({ scan_overview: scanned }) => {
      const vulnerabilities = [vulnerability('CVE-2', 'Low', ''), vulnerability('CVE-1', 'Critical', '1.2')];
      const body: JsonObject = scanned ? { [reportForm]: { vulnerabilities } } : {};
      return { status: 200, body };
    }),
    [`POST ${artifact}/tags`]: on((one, _params, body) => {
      const name = text(at(body, 'name'));
      if (state.artifacts.some((each) => tagNames(each).includes(name)))
        return error(409, `tag ${name} already exists`);
      const tag = {
        id: inside.next(),
        repository_id: 1,
        artifact_id: Number(one.id),
        name,
        push_time: longAgo,
        pull_time: never,
        immutable: false,
      };
      one.tags = [...(Array.isArray(one.tags) ? one.tags : []), tag];
      return { status: 201 };
    }),
    [`DELETE ${artifact}/tags/:tag`]: on((one, { tag = '' }) => {
      if (!tagNames(one).includes(tag)) return error(404, 'tag not found');
      one.tags = (Array.isArray(one.tags) ? one.tags : []).filter((each) => at(each, 'name') !== tag);
      return { status: 200 };
    }),
  };
}

function projectHandlers({ state, next }: Inside): Record<string, Handler> {
  const called = (name: string | undefined) => state.projects.find((each) => each.name === name);
  const repository = {
    id: 1,
    project_id: 1,
    name: 'team/web',
    artifact_count: 2,
    pull_count: 7,
    creation_time: longAgo,
    update_time: longAgo,
  };
  return {
    'GET /projects': () => ({ status: 200, body: state.projects }),
    'POST /projects': (_params, body) => {
      const name = text(at(body, 'project_name'));
      if (called(name)) return error(409, `The project named ${name} already exists`);
      const metadata = isObject(body) && isObject(body.metadata) ? body.metadata : {};
      const times = { creation_time: longAgo, update_time: longAgo };
      state.projects.push({
        project_id: next() + 100,
        name,
        owner_id: 1,
        repo_count: 0,
        ...times,
        metadata: { public: 'false', ...metadata },
      });
      return { status: 201 };
    },
    'GET /projects/:project': ({ project }) => found(called(project), `project ${project}`),
    'GET /projects/:project/repositories': ({ project }) => ({
      status: 200,
      body: project === 'team' ? [repository] : [],
    }),
    'GET /quotas': () => ({ status: 200, body: state.quotas }),
    'PUT /quotas/:id': ({ id }, body) => {
      const quota = byId(state.quotas, id);
      if (quota) quota.hard = at(body, 'hard') ?? {};
      return { status: 200 };
    },
  };
}

function robotHandlers(inside: Inside): Record<string, Handler> {
  const { state } = inside;
  return {
    'GET /robots': () => ({ status: 200, body: state.robots }),
    'POST /robots': (_params, body) => {
      const wanted = isObject(body) ? body : {};
      const name = `robot$team+${text(wanted.name)}`;
      if (state.robots.some((each) => each.name === name)) return error(400, `robot ${name} already exists`);
      const made = { id: inside.next(), name, creation_time: longAgo, expires_at: 1_800_000_000 };
      state.robots.push({ description: '', ...wanted, ...made, editable: true, update_time: longAgo });
      return { status: 201, body: { ...made, secret: giveSecret(inside) } };
    },
    'PATCH /robots/:id': ({ id }) =>
      byId(state.robots, id) ? { status: 200, body: { secret: giveSecret(inside) } } : error(404, 'robot not found'),
    'DELETE /robots/:id': ({ id }) => {
      if (!byId(state.robots, id)) return error(404, 'robot not found');
      state.robots = state.robots.filter((each) => String(each.id) !== id);
      return { status: 200 };
    },
  };
}

function workHandlers({ state, next }: Inside): Record<string, Handler> {
  const start = () => new Date().toISOString();
  return {
    'POST /retentions': (_params, body) => {
      const ref = at(body, 'scope', 'ref');
      const project = state.projects.find(({ project_id: id }) => id === ref);
      const id = next();
      if (project && at(project, 'metadata', 'retention_id') !== undefined)
        return error(400, 'project has a retention already');
      if (project && isObject(project.metadata)) project.metadata = { ...project.metadata, retention_id: String(id) };
      state.retentions.push({ ...(isObject(body) ? body : {}), id });
      return { status: 201, location: `/api/v2.0/retentions/${id}` };
    },
    'GET /retentions/:id': ({ id }) => found(byId(state.retentions, id), `retention ${id}`),
    'PUT /retentions/:id': ({ id }, body) => {
      state.retentions = state.retentions.map((each) => (String(each.id) === id && isObject(body) ? body : each));
      return { status: 200 };
    },
    'GET /retentions/:id/executions': () => ({ status: 200, body: state.retentionRuns }),
    'POST /retentions/:id/executions': ({ id }, body) => {
      const run = {
        id: next(),
        policy_id: Number(id),
        start_time: start(),
        end_time: start(),
        status: 'Success',
        trigger: 'Manual',
      };
      // Harbor leaves out what is false.
      state.retentionRuns.unshift({ ...run, ...(at(body, 'dry_run') === true && { dry_run: true }) });
      return { status: 201, location: `/api/v2.0/retentions/${id}/executions/${run.id}` };
    },
    'GET /retentions/:id/executions/:execution/tasks': ({ execution }) => ({
      status: 200,
      body: [
        {
          id: 1,
          execution_id: Number(execution),
          repository: 'web',
          status: 'Success',
          start_time: longAgo,
          end_time: longAgo,
          total: 12,
          retained: 10,
        },
      ],
    }),
  };
}

/** The parameters of a path, where it fits the pattern. */
function paramsOf(pattern: string, path: readonly string[]): Record<string, string> | undefined {
  const parts = pattern.split('/').slice(1);
  if (parts.length !== path.length) return undefined;
  const fits = parts.every((part, index) => part.startsWith(':') || part === path[index]);
  return fits ? Object.fromEntries(parts.map((part, index) => [part.replace(/^:/, ''), path[index] ?? ''])) : undefined;
}

/** A Harbor in memory, with the projects `team` and `base` and two images of `team/web`. */
export function fakeHarbor(): FakeHarbor {
  let count = 1;
  const inside: Inside = { state: stocked(), secrets: [], scans: ['Success'], next: () => ++count };
  const handlers = {
    ...projectHandlers(inside),
    ...imageHandlers(inside),
    ...robotHandlers(inside),
    ...workHandlers(inside),
    ...registryHandlers(inside),
    ...replicationHandlers(inside),
  };
  const answer = ({ method, path, query = {}, body }: Asked): Answer => {
    for (const [key, handler] of Object.entries(handlers)) {
      const params = key.startsWith(`${method} `) ? paramsOf(key.slice(method.length + 1), path) : undefined;
      if (!params) continue;
      const entry = contract[key];
      if (!entry) throw new Error(`the contract lacks ${key}`);
      const unknown = Object.keys(query).filter((name) => !entry.query?.includes(name));
      if (unknown.length > 0) throw new Error(`${key} takes no ${unknown.join(', ')}`);
      entry.takes?.parse(body);
      const said = handler(params, body);
      const shape = entry.answers[said.status];
      if (!shape) throw new Error(`${key} never answers ${said.status}`);
      shape.parse(said.body);
      return said;
    }
    throw new Error(`Harbor has no ${method} /${path.join('/')}`);
  };
  const copied = (said: Answer): Json | undefined =>
    said.body === undefined ? undefined : JSON.parse(JSON.stringify(said.body));
  const client: Harbor = {
    read: async (path, query) => {
      const said = answer({ method: 'GET', path, query });
      return said.status === 404 ? undefined : copied(said);
    },
    list: async (path, query) => {
      const body = copied(answer({ method: 'GET', path, query }));
      return Array.isArray(body) ? body.filter(isObject) : [];
    },
    send: async ({ method, path, body }) => {
      const said = answer({ method, path, body });
      const message = text(at(said.body, 'errors', 0, 'message'));
      return { status: said.status, body: copied(said), made: said.location?.split('/').at(-1), message };
    },
  };
  return { answer, client, ...inside };
}
