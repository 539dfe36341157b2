import { z } from 'zod';
import { AnalysisTemplate } from './analysis/template.ts';
import { AppSettings } from './app-settings.ts';
import { ClusterSettings } from './cluster-settings.ts';
import { podSecurityLevels } from './effects/pod-security.ts';
import { ExecSettings } from './exec-settings.ts';
import { Freeze } from './freeze.ts';
import { DockerHostSettings, HarborSettings } from './host-settings.ts';
import { BuildSettings, Logins, plainBuilds, Registries } from './image-settings.ts';
import { Label, NameOrPattern, withBlank } from './name-pattern.ts';
import { NewWorkloads } from './new-workloads.ts';
import { RolloutSettings } from './rollout.ts';
import { SecretSettings } from './secret-names.ts';
import { ImageSettings, ScanRules, VerifySettings } from './trust-settings.ts';
import { Quantity } from './values.ts';

export const EnvironmentSettings = z.strictObject({
  /** A name under `clusters`, a context of the kubeconfig, or `in-cluster`; left out, the process's own default. */
  cluster: z.string().default('default'),
  /** Of a pattern `{env}` in it, as in all that follows, is the environment's name. */
  namespace: withBlank(Label, '{env}'),
  /** How deploys shift here, where the app does not say. */
  rollout: RolloutSettings.optional(),
  /** People depend on it. Left out, it is so where the name begins with prod or live. */
  production: z.boolean().optional(),
  /** How long a rollout may take before it counts as timed out. */
  rolloutTimeoutSeconds: z.number().int().min(10).max(86_400).default(600),
  /** The template of `analyses` that judges canaries here, where the app names none; `none` where nothing does. */
  analysis: z.string().optional(),
  /** What is asked for here is done in the asker's name, as people.NAME.kubernetes has it: the cluster's own RBAC decides. */
  impersonate: z.boolean().default(false),
  /** At most so many changes within so many minutes. */
  rateLimit: z
    .strictObject({ changes: z.number().int().min(1).max(1_000), minutes: z.number().int().min(1).max(1_440) })
    .optional(),
  /** Which commands may be run in its containers. Without it, none. */
  exec: ExecSettings.optional(),
  /** Which images may be put beside a pod's containers to debug it. Without it, none. */
  debug: z
    .strictObject({
      images: z.array(z.string().min(1).max(500)).min(1).max(50),
      /** What runs in it, where it is not what the image runs by itself. */
      command: z.array(z.string().max(1_000)).min(1).max(50).optional(),
    })
    .optional(),
  /** What pods may ask of their node here, by Kubernetes' Pod Security Standards; beyond it they are refused, or take a rule's yes. */
  podSecurity: z.enum(podSecurityLevels).default('baseline'),
  /** What a workload gets here that a deploy creates. What is there already never gets any of it. */
  newWorkloads: NewWorkloads.prefault({}),
  /** What a scan's findings do to a deploy here, where it is not as `images.scan` has it. */
  scan: ScanRules.optional(),
  /** What an image must bear before it is deployed here. Without it, nothing. */
  verify: VerifySettings.optional(),
});
export type EnvironmentSettings = z.output<typeof EnvironmentSettings>;

/** A user or group as a cluster calls it. Those of the system are nobody's to be. */
export const ClusterSubject = z
  .string()
  .min(1)
  .max(253)
  .regex(/^(?!system:)[\x21-\x7e]+$/, 'must be a name without spaces, and none of the system (system:…)');

/** One human with all the identities that Shipmate may meet them under. */
export const Person = z.strictObject({
  slack: z.string().optional(),
  subject: z.string().optional(),
  /** Who they are in clusters: for `access`, and where an environment says `impersonate`. */
  kubernetes: z.strictObject({ user: ClusterSubject, groups: z.array(ClusterSubject).max(50).default([]) }).optional(),
});

/** The first rule that fits decides; where none fits, the answer is no. */
export const Rule = z.strictObject({
  name: z.string(),
  operations: z.array(z.string()).default(['*']),
  environments: z.array(z.string()).default(['*']),
  apps: z.array(z.string()).default(['*']),
  /** Only for what reads, or only for what changes something. */
  effects: z.array(z.enum(['read', 'change'])).default(['read', 'change']),
  /** Only for changes of this size, as the plan finds it. */
  size: z
    .strictObject({
      /** The replica count grows or shrinks by at most so many, and not to zero. */
      replicasBy: z.number().int().min(0).optional(),
      /** It goes to zero. */
      toZero: z.literal(true).optional(),
      /** At most so many fields change. */
      fields: z.number().int().min(1).optional(),
    })
    .optional(),
  /** Only for pods beyond the Pod Security level of their environment: without such a rule they are refused. */
  beyondPodSecurity: z.literal(true).optional(),
  /** Only for changes of workloads that no entry and no pattern of `apps` covers: without such a rule they are only looked at. */
  uncovered: z.literal(true).optional(),
  /** Role names; `everyone` is every known full member and every valid token. */
  who: z.array(z.string()).default(['everyone']),
  approvals: z.number().int().min(0).max(10).default(0),
  /** Roles whose members may approve. */
  approvers: z.array(z.string()).default(['everyone']),
  /** Roles of which somebody must be among those who approve, each. */
  required: z.array(z.string()).default([]),
  /** An approval not given by then is void. */
  expireMinutes: z.number().int().min(1).max(10_080).default(60),
  /** So long before that the approvers are reminded; 0 for never. */
  remindMinutes: z.number().int().min(0).default(15),
  /** Whom else to ask when nobody answered by then. */
  escalate: z.strictObject({ afterMinutes: z.number().int().min(1), to: z.array(z.string()).min(1) }).optional(),
});
export type Rule = z.output<typeof Rule>;

/** What manifests (`/ship apply`) may hold and where they may come from. Without it, only what lives in the namespace. */
export const ManifestSettings = z.strictObject({
  /** Environments, or patterns for several, in which kinds that live in the cluster itself may be applied: Namespaces, CRDs, StorageClasses. */
  clusterScopedIn: z.array(z.string()).default([]),
  /** Kinds that may be applied though they give somebody rights, such as Role or RoleBinding. */
  allowKinds: z.array(z.string()).default([]),
  /** Hosts that Git repositories may be fetched from over https and ssh; over plain http where they begin with `http://`. */
  gitHosts: z.array(z.string()).default([]),
});
export type ManifestSettings = z.output<typeof ManifestSettings>;

/** What one person's questions (status, logs, diffs: all that changes nothing) may take, so that they leave room for others. */
export const ReadSettings = z.strictObject({
  /** So many within a minute, in Slack and over REST together. */
  perMinute: z.number().int().min(1).max(10_000).default(300),
  /** So many that are not answered yet. */
  atOnce: z.number().int().min(1).max(1_000).default(20),
  /** An answer that is longer is cut. */
  kilobytes: z.number().int().min(16).max(16_384).default(1_024),
  /** Of all of them together the newest so much is kept. */
  megabytes: z.number().int().min(1).max(1_024).default(20),
  /** An answer can be looked up so long. */
  hours: z.number().int().min(1).max(720).default(24),
});
export type ReadSettings = z.output<typeof ReadSettings>;

const Amounts = z.record(z.string(), Quantity);

/** What `namespace-create` puts into every new namespace. */
export const NamespaceTemplate = z.strictObject({
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
  /** A ResourceQuota: what all of the namespace may use together, such as `requests.cpu: '8'` or `pods: '50'`. */
  quota: Amounts.optional(),
  /** A LimitRange: what a container gets that says nothing, and what it may ask for. */
  limits: z
    .strictObject({
      default: Amounts.optional(),
      defaultRequest: Amounts.optional(),
      min: Amounts.optional(),
      max: Amounts.optional(),
    })
    .optional(),
  /** `deny-ingress`: nobody outside reaches its pods. `deny-all`: nor do they reach anybody, but for DNS. */
  networkPolicy: z.enum(['deny-ingress', 'deny-all']).optional(),
});
export type NamespaceTemplate = z.output<typeof NamespaceTemplate>;

/** What a broken glass may spare besides approvals: each only where it is named. */
export const Spared = z.enum(['locks', 'freezes', 'stop', 'rate-limits']);
export type Spared = z.output<typeof Spared>;

const BreakGlassSettings = z.strictObject({
  who: z.array(z.string()).default([]),
  reviewers: z.array(z.string()).default(['everyone']),
  /** What it passes over besides approvals: other people’s locks, freezes, the stop of everything, rate limits. */
  spares: z.array(Spared).default([]),
});

/** `shipmate.yaml`: apps, environments, people and policy. */
export const Settings = z.strictObject({
  /** Slack channel (id) for what concerns Shipmate itself: settings that are wrong, a glass that was broken. */
  channel: z.string().optional(),
  /** By name, or by pattern for all that are alike: a name goes by its own entry, or else by the pattern with the most letters. */
  apps: z.record(NameOrPattern, AppSettings),
  environments: z.record(NameOrPattern, EnvironmentSettings),
  clusters: z.record(Label, ClusterSettings).default({}),
  /** Docker hosts that are looked after, by name. */
  dockerHosts: z.record(Label, DockerHostSettings).default({}),
  harbor: HarborSettings.optional(),
  builds: BuildSettings.prefault(plainBuilds),
  registries: Registries.default({}),
  /** Git servers that ask who it is. */
  gitLogins: Logins.default({}),
  /** Several environments under one name: what is asked for there is asked for in each. */
  fleets: z.record(Label, z.array(z.string()).min(1)).default({}),
  people: z.record(z.string(), Person).default({}),
  /**
   * Members of a role: names of people, `slack:U…` (a member's id), `group:S…` (a Slack user group), or
   * `claim:name=value` (what a token's claim says or contains), `webhook:harbor` (what a system's webhooks ask for by themselves).
   */
  roles: z.record(z.string(), z.array(z.string())).default({}),
  policy: z.array(Rule).default([]),
  freezes: z.array(Freeze).default([]),
  /** What canaries are judged by, by names of one's own; `default` replaces the one that is built in. */
  analyses: z.record(Label, AnalysisTemplate).default({}),
  /** Hosts that web hooks of analyses may be asked at over plain http, such as `http://judge.internal:8080`. */
  hookHosts: z
    .array(z.string().regex(/^http:\/\/[\w.-]+(:\d{1,5})?$/, 'must be such as http://judge:8080'))
    .default([]),
  /** What scans of images may find, and what that does to a deploy. */
  images: ImageSettings.default({ allow: [], databaseDays: 7, scanMinutes: 10 }),
  /** What sounds secret here besides what always does, and what does not. */
  secrets: SecretSettings.default({ names: [], shown: [] }),
  manifests: ManifestSettings.default({ clusterScopedIn: [], allowKinds: [], gitHosts: [] }),
  namespaceTemplate: NamespaceTemplate.optional(),
  /** How much one person may ask, and for how long answers are kept. */
  reads: ReadSettings.prefault({}),
  /** Who may pass over approvals where they give a reason, and who looks at it afterwards. */
  breakGlass: BreakGlassSettings.prefault({}),
  /** Members of Slack's user groups, by the group's id: filled in from Slack, not from the file. */
  groups: z.record(z.string(), z.array(z.string())).default({}),
});
export type Settings = z.output<typeof Settings>;
