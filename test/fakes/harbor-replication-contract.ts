import { z } from 'zod';
import type { Entry } from './harbor-contract.ts';

/** The part of Harbor's API about endpoints and replication. What is false, 0 or empty Harbor leaves out of its answers. */

const int = z.number().int();
const time = z.iso.datetime();
const errors = z.strictObject({ errors: z.array(z.strictObject({ code: z.string(), message: z.string() })) });
const nothing = z.undefined();

const Credential = z.strictObject({
  type: z.string().optional(),
  access_key: z.string().optional(),
  access_secret: z.string().optional(),
});
const Registry = z.strictObject({
  id: int,
  name: z.string(),
  url: z.string(),
  type: z.string(),
  insecure: z.literal(true).optional(),
  status: z.string().optional(),
  /** Told to nobody: in its place stand five stars. */
  credential: Credential.extend({ access_secret: z.literal('*****').optional() }).optional(),
  ca_certificate: z.string().optional(),
  creation_time: time,
  update_time: time,
});
const RegistryReq = z.strictObject({
  name: z.string(),
  url: z.string(),
  type: z.string(),
  insecure: z.boolean(),
  credential: Credential.optional(),
});
const RegistryUpdate = z.strictObject({
  url: z.string().optional(),
  insecure: z.boolean().optional(),
  credential_type: z.string().optional(),
  access_key: z.string().optional(),
  access_secret: z.string().optional(),
});
const Filter = z.strictObject({ type: z.string(), value: z.unknown(), decoration: z.string().optional() });
const Trigger = z.strictObject({
  type: z.string(),
  trigger_settings: z.strictObject({ cron: z.string().optional() }).optional(),
});
const PolicyReq = z.strictObject({
  name: z.string(),
  description: z.string(),
  src_registry: z.strictObject({ id: int }).optional(),
  dest_registry: z.strictObject({ id: int }).optional(),
  dest_namespace: z.string(),
  dest_namespace_replace_count: int,
  filters: z.array(Filter),
  trigger: Trigger,
  deletion: z.boolean(),
  replicate_deletion: z.boolean(),
  override: z.boolean(),
  enabled: z.boolean(),
  speed: int,
  copy_by_chunk: z.boolean(),
  single_active_replication: z.boolean(),
});
const Policy = z.strictObject({
  id: int,
  name: z.string(),
  description: z.string().optional(),
  src_registry: Registry,
  dest_registry: Registry,
  dest_namespace: z.string().optional(),
  dest_namespace_replace_count: int,
  filters: z.array(Filter).optional(),
  trigger: Trigger.optional(),
  deletion: z.literal(true).optional(),
  replicate_deletion: z.literal(true).optional(),
  override: z.literal(true).optional(),
  enabled: z.literal(true).optional(),
  speed: int,
  copy_by_chunk: z.boolean(),
  single_active_replication: z.boolean(),
  creation_time: time,
  update_time: time,
});
const Execution = z.strictObject({
  id: int,
  policy_id: int,
  status: z.string(),
  trigger: z.string(),
  start_time: time,
  end_time: time,
  status_text: z.string(),
  total: int,
  failed: int,
  succeed: int,
  in_progress: int,
  stopped: int,
});

const paged = ['page', 'page_size', 'q', 'sort'];

export const replicationContract: Record<string, Entry> = {
  'GET /registries': { query: paged, answers: { 200: z.array(Registry) } },
  'POST /registries': { takes: RegistryReq, answers: { 201: nothing, 400: errors, 409: errors } },
  'POST /registries/ping': { takes: z.strictObject({ id: int }), answers: { 200: nothing, 400: errors, 404: errors } },
  'PUT /registries/:id': { takes: RegistryUpdate, answers: { 200: nothing, 400: errors, 404: errors, 409: errors } },
  'DELETE /registries/:id': { answers: { 200: nothing, 404: errors, 412: errors } },
  'GET /replication/adapters': { answers: { 200: z.array(z.string()) } },
  'GET /replication/policies': { query: paged, answers: { 200: z.array(Policy) } },
  'POST /replication/policies': { takes: PolicyReq, answers: { 201: nothing, 400: errors, 409: errors } },
  'PUT /replication/policies/:id': {
    takes: PolicyReq,
    answers: { 200: nothing, 400: errors, 404: errors, 409: errors },
  },
  'DELETE /replication/policies/:id': { answers: { 200: nothing, 404: errors } },
  'GET /replication/executions': {
    query: ['page', 'page_size', 'sort', 'policy_id'],
    answers: { 200: z.array(Execution) },
  },
  'POST /replication/executions': { takes: z.strictObject({ policy_id: int }), answers: { 201: nothing } },
  'GET /replication/executions/:id': { answers: { 200: Execution, 404: errors } },
};
