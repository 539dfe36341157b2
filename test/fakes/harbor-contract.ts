import { z } from 'zod';
import { replicationContract } from './harbor-replication-contract.ts';

/**
 * What Harbor's API (version 2.0) takes and answers, of the parts that Shipmate uses: written down here from its published OpenAPI
 * description, field by field, and held against each request to the fake and each of its answers. A field that Harbor does not
 * have fails. `scripts/harbor-contract.ts` holds it against that description itself; last with that of Harbor 2.16.0.
 */

const int = z.number().int();
const time = z.iso.datetime();
const errors = z.strictObject({ errors: z.array(z.strictObject({ code: z.string(), message: z.string() })) });

const Project = z.strictObject({
  project_id: int,
  name: z.string(),
  owner_id: int,
  repo_count: int,
  creation_time: time,
  update_time: time,
  registry_id: int.optional(),
  // Harbor keeps flags as words.
  metadata: z.strictObject({
    public: z.string(),
    auto_scan: z.string().optional(),
    retention_id: z.string().optional(),
  }),
});
const ProjectReq = z.strictObject({
  project_name: z.string().max(255),
  metadata: z.strictObject({ public: z.string(), auto_scan: z.string().optional() }).optional(),
  storage_limit: int.optional(),
});
const Repository = z.strictObject({
  id: int,
  project_id: int,
  name: z.string(),
  artifact_count: int,
  pull_count: int,
  creation_time: time,
  update_time: time,
});
const Tag = z.strictObject({
  id: int,
  repository_id: int,
  artifact_id: int,
  name: z.string(),
  push_time: time,
  pull_time: time,
  immutable: z.boolean(),
});
const Summary = z.strictObject({
  report_id: z.string(),
  scan_status: z.string(),
  severity: z.string(),
  duration: int,
  start_time: time,
  end_time: time,
  complete_percent: int,
  summary: z.strictObject({ total: int, fixable: int, summary: z.record(z.string(), int) }),
});
const Accessory = z.strictObject({
  id: int,
  artifact_id: int,
  digest: z.string(),
  type: z.string(),
  size: int,
  creation_time: time,
});
const Artifact = z.strictObject({
  id: int,
  type: z.string(),
  media_type: z.string(),
  project_id: int,
  repository_id: int,
  repository_name: z.string(),
  digest: z.string().regex(/^sha256:[a-f0-9]{64}$/),
  size: int,
  push_time: time,
  pull_time: time,
  tags: z.array(Tag),
  accessories: z.array(Accessory),
  scan_overview: z.record(z.string(), Summary).optional(),
});
const Access = z.strictObject({ resource: z.string(), action: z.string(), effect: z.string().optional() });
const Permission = z.strictObject({ kind: z.string(), namespace: z.string(), access: z.array(Access) });
const Robot = z.strictObject({
  id: int,
  name: z.string(),
  description: z.string(),
  level: z.string(),
  duration: int,
  editable: z.boolean(),
  disable: z.boolean(),
  expires_at: int,
  permissions: z.array(Permission),
  creation_time: time,
  update_time: time,
});
const RobotCreate = z.strictObject({
  name: z.string(),
  description: z.string().optional(),
  level: z.enum(['project', 'system']),
  disable: z.boolean(),
  duration: int,
  permissions: z.array(Permission),
});
const RobotCreated = z.strictObject({
  id: int,
  name: z.string(),
  secret: z.string(),
  creation_time: time,
  expires_at: int,
});
const Selector = z.strictObject({
  kind: z.string(),
  decoration: z.string(),
  pattern: z.string(),
  extras: z.string().optional(),
});
const RetentionPolicy = z.strictObject({
  id: int.optional(),
  algorithm: z.string(),
  rules: z.array(
    z.strictObject({
      action: z.string(),
      template: z.string(),
      params: z.record(z.string(), z.unknown()),
      tag_selectors: z.array(Selector),
      scope_selectors: z.record(z.string(), z.array(Selector)),
    }),
  ),
  trigger: z.strictObject({ kind: z.string(), settings: z.looseObject({}), references: z.looseObject({}).optional() }),
  scope: z.strictObject({ level: z.string(), ref: int }),
});
const RetentionExecution = z.strictObject({
  id: int,
  policy_id: int,
  start_time: z.string(),
  end_time: z.string(),
  status: z.string(),
  trigger: z.string(),
  dry_run: z.literal(true).optional(),
});
const RetentionTask = z.strictObject({
  id: int,
  execution_id: int,
  repository: z.string(),
  status: z.string(),
  start_time: z.string(),
  end_time: z.string(),
  total: int,
  retained: int,
});
const Quota = z.strictObject({
  id: int,
  ref: z.record(z.string(), z.unknown()),
  hard: z.record(z.string(), int),
  used: z.record(z.string(), int),
  creation_time: time,
  update_time: time,
});
/** Not in the description, which has but a text: as Harbor's documentation of scan reports shows it. */
const Vulnerabilities = z.record(
  z.string(),
  z.looseObject({
    vulnerabilities: z.array(
      z.looseObject({
        id: z.string(),
        package: z.string(),
        version: z.string(),
        fix_version: z.string(),
        severity: z.string(),
      }),
    ),
  }),
);

export type Entry = {
  takes?: z.ZodType;
  answers: Record<number, z.ZodType>;
  query?: readonly string[];
  /** Harbor's description calls the answer a text; its documentation says more. */
  onlyText?: true;
};
const nothing = z.undefined();
const paged = ['page', 'page_size', 'q', 'sort'];
const pages = ['page', 'page_size'];
const artifactQuery = ['with_tag', 'with_scan_overview', 'with_accessory'];
const artifact = '/projects/:project/repositories/:repository/artifacts/:reference';

/** By method and path; what is not here the fake does not have. */
export const contract: Record<string, Entry> = {
  'GET /projects': { query: paged, answers: { 200: z.array(Project) } },
  'POST /projects': { takes: ProjectReq, answers: { 201: nothing, 409: errors } },
  'GET /projects/:project': { answers: { 200: Project, 404: errors } },
  'GET /projects/:project/repositories': { query: paged, answers: { 200: z.array(Repository) } },
  'GET /projects/:project/repositories/:repository/artifacts': {
    query: [...artifactQuery, ...paged],
    answers: { 200: z.array(Artifact), 404: errors },
  },
  [`GET ${artifact}`]: { query: artifactQuery, answers: { 200: Artifact, 404: errors } },
  [`POST ${artifact}/scan`]: {
    takes: z.strictObject({ scan_type: z.enum(['vulnerability', 'sbom']) }),
    answers: { 202: nothing, 404: errors },
  },
  [`GET ${artifact}/additions/vulnerabilities`]: { onlyText: true, answers: { 200: Vulnerabilities, 404: errors } },
  [`POST ${artifact}/tags`]: {
    takes: z.strictObject({ name: z.string() }),
    answers: { 201: nothing, 404: errors, 409: errors },
  },
  [`DELETE ${artifact}/tags/:tag`]: { answers: { 200: nothing, 404: errors } },
  'GET /robots': { query: paged, answers: { 200: z.array(Robot) } },
  'POST /robots': { takes: RobotCreate, answers: { 201: RobotCreated, 400: errors } },
  'PATCH /robots/:id': {
    takes: z.strictObject({ secret: z.string() }),
    answers: { 200: z.strictObject({ secret: z.string() }), 404: errors },
  },
  'DELETE /robots/:id': { answers: { 200: nothing, 404: errors } },
  'POST /retentions': { takes: RetentionPolicy, answers: { 201: nothing, 400: errors } },
  'GET /retentions/:id': { answers: { 200: RetentionPolicy } },
  'PUT /retentions/:id': { takes: RetentionPolicy, answers: { 200: nothing } },
  'GET /retentions/:id/executions': { query: pages, answers: { 200: z.array(RetentionExecution) } },
  'POST /retentions/:id/executions': { takes: z.strictObject({ dry_run: z.boolean() }), answers: { 201: nothing } },
  'GET /retentions/:id/executions/:execution/tasks': { query: pages, answers: { 200: z.array(RetentionTask) } },
  ...replicationContract,
  'GET /quotas': { query: [...pages, 'sort', 'reference'], answers: { 200: z.array(Quota) } },
  'PUT /quotas/:id': { takes: z.strictObject({ hard: z.record(z.string(), int) }), answers: { 200: nothing } },
};
