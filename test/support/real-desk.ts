import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { createDocker } from '../../src/clients/docker/docker.ts';
import { createDockerHosts } from '../../src/clients/docker/docker-host.ts';
import { createGit } from '../../src/clients/git/git.ts';
import { createClusters } from '../../src/clients/kube/clusters.ts';
import { createPrometheus } from '../../src/clients/prometheus/prometheus.ts';
import { createAttachments } from '../../src/clients/registry/attachments.ts';
import { createRegistry } from '../../src/clients/registry/registry.ts';
import { createSigning, type SigningOptions } from '../../src/clients/signing/signing.ts';
import { createTrivy, type TrivyOptions } from '../../src/clients/trivy/trivy.ts';
import { readSecret } from '../../src/config/secrets.ts';
import { at } from '../../src/core/json.ts';
import type { Kube } from '../../src/core/kube.ts';
import { Settings } from '../../src/core/settings.ts';
import type { Seal } from '../../src/store/seal.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { bed } from './bed.ts';
import { createDesk, type Desk } from './desk.ts';
import { type TestEngine, testEngine } from './engine.ts';
import { freshNamespace, kubectl } from './kubectl.ts';
import { startRedis } from './redis.ts';

/** A person's hands on an engine over the real cluster and a real Redis, in two namespaces of its own. */
export type RealDesk = Desk & {
  engine: TestEngine;
  /** What `staging` and `production` stand for. */
  namespaces: { staging: string; production: string };
  end(): Promise<void>;
};

/** What the settings have besides; `second` is an environment in the namespace of production with no rule of its own. */
type Change = Partial<
  Pick<
    z.input<typeof Settings>,
    | 'apps'
    | 'environments'
    | 'clusters'
    | 'fleets'
    | 'people'
    | 'namespaceTemplate'
    | 'dockerHosts'
    | 'analyses'
    | 'images'
    | 'builds'
  >
> & {
  /** What the store seals with; left out, it stores all as it is. */
  seal?: Seal;
  /** Where Prometheus is; left out, nothing is measured. */
  prometheus?: string;
  /** Runs are done in the asker's name. */
  impersonate?: boolean;
  /** More of the environment `staging`. */
  staging?: Partial<z.input<typeof Settings>['environments'][string]>;
  production?: Partial<z.input<typeof Settings>['environments'][string]>;
  /** The key that Shipmate signs with. */
  signing?: SigningOptions;
  trivy?: TrivyOptions;
  /** Another Docker daemon than the bed's. */
  dockerDaemon?: string;
  /** Who Shipmate is to the cluster, where it is not the bed's usual account. */
  kubeconfig?: string;
  gitLogin?: (host: string) => { username: string; password: string } | undefined;
};
/** Waits until the API server has taken notice of the binding that lets Shipmate into the namespace. */
async function letIn(kube: Kube, namespace: string): Promise<void> {
  const signal = AbortSignal.timeout(10_000);
  const resourceAttributes = { verb: 'patch', group: 'apps', resource: 'deployments', namespace };
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes },
  };
  while (at(await kube.create(review, {}, signal), 'status', 'allowed') !== true) await sleep(20);
}

const asks = { environments: ['production'], who: ['engineers'], approvals: 1, approvers: ['engineers'] };

/**
 * The app `web` and whatever else the test makes, in `staging`, where anything goes, and `production`, where another
 * engineer approves. Images of the registry are those of the bed; nothing is built.
 */
export async function realDesk({
  seal,
  prometheus,
  impersonate = false,
  staging: more,
  production: moreOfProduction,
  signing,
  trivy,
  dockerDaemon,
  gitLogin,
  kubeconfig = bed.shipmateKubeconfig,
  ...change
}: Change = {}): Promise<RealDesk> {
  const [redis, staging, production] = await Promise.all([
    startRedis(),
    freshNamespace('staging'),
    freshNamespace('production'),
  ]);
  const settings = Settings.parse({
    ...change,
    apps: { web: { image: `${bed.registryHost}/web` }, ...change.apps },
    environments: {
      staging: { namespace: staging, rolloutTimeoutSeconds: 60, impersonate, ...more },
      production: { namespace: production, rolloutTimeoutSeconds: 60, impersonate, ...moreOfProduction },
      second: { namespace: production, rolloutTimeoutSeconds: 60 },
      ...change.environments,
    },
    // Both share the bed's cluster: what lives in the cluster itself is staging's to judge, so that tests can be about that alone.
    clusters: { default: { guardedBy: 'staging' }, ...change.clusters },
    people: { ana: { slack: 'UANA' }, ben: { slack: 'UBEN' }, ...change.people },
    // A test asks again and again until something has come about; a person does not.
    reads: { perMinute: 10_000, atOnce: 1_000 },
    roles: { engineers: ['ana', 'ben'] },
    policy: [
      { name: 'reading', effects: ['read'] },
      { ...asks, name: 'production' },
      { name: 'the rest is free' },
      { ...asks, name: 'what is no app in production', uncovered: true },
      { name: 'what else is no app is free', uncovered: true },
    ],
  });
  const clusters = createClusters({ kubeconfig, named: () => settings.clusters });
  await Promise.all([staging, production].map((namespace) => letIn(clusters.kube('default'), namespace)));
  const world = fakeWorld();
  const registry = createRegistry();
  const git = createGit(gitLogin);
  const docker = createDocker({
    host: dockerDaemon ?? bed.dockerHost,
    buildx: bed.buildx,
    git,
    registry,
    settings: () => settings.builds,
    secret: (ref) => readSecret(ref, process.env),
  });
  const clients = {
    ...world.clients,
    kube: clusters.kube,
    registry,
    docker,
    git,
    attachments: createAttachments(),
    signing: createSigning(signing),
    scanner: createTrivy(trivy),
    dockerHost: createDockerHosts(() => settings.dockerHosts),
    metrics: createPrometheus(prometheus),
  };
  const engine = await testEngine(redis.url, clients, { settings: () => settings, seal });
  const desk = createDesk(engine);
  return {
    ...desk,
    engine,
    namespaces: { staging, production },
    end: async () => {
      await desk.leases.stop();
      engine.close();
      await clusters.close();
      await redis.stop();
      for (const name of [staging, production]) await kubectl(['delete', 'namespace', name, '--wait=false']);
    },
  };
}
