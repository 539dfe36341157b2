import { createDocker } from './clients/docker/docker.ts';
import { createDockerHosts } from './clients/docker/docker-host.ts';
import { createGit } from './clients/git/git.ts';
import { createHarbor } from './clients/harbor/harbor.ts';
import { createClusters } from './clients/kube/clusters.ts';
import { createPrometheus } from './clients/prometheus/prometheus.ts';
import { createAttachments } from './clients/registry/attachments.ts';
import { createRegistry } from './clients/registry/registry.ts';
import { createSigning } from './clients/signing/signing.ts';
import { createTrivy } from './clients/trivy/trivy.ts';
import { createHooks } from './clients/web-hook/web-hook.ts';
import { createLogins } from './config/logins.ts';
import type { Environment } from './config/variables.ts';
import type { Clients } from './core/ports.ts';
import type { Settings } from './core/settings.ts';

type Outside = Pick<
  Clients,
  | 'kube'
  | 'registry'
  | 'attachments'
  | 'signing'
  | 'scanner'
  | 'docker'
  | 'dockerHost'
  | 'harbor'
  | 'git'
  | 'metrics'
  | 'hooks'
>;

/** The clients of everything outside, as the environment and the settings in force say. */
export function createOutside(
  env: Environment,
  settings: () => Settings,
): { clients: Outside; close: () => Promise<void> } {
  const clusters = createClusters({
    kubeconfig: env.KUBECONFIG,
    context: env.K8S_CONTEXT,
    endpoint: env.K8S_ENDPOINT,
    named: () => settings().clusters,
  });
  const logins = createLogins(env, settings);
  const { access } = logins;
  const registry = createRegistry(access);
  const git = createGit(logins.git);
  const clients: Outside = {
    kube: clusters.kube,
    registry,
    attachments: createAttachments(access),
    signing: createSigning({ key: env.COSIGN_KEY, password: env.COSIGN_PASSWORD }),
    scanner: createTrivy({ program: env.TRIVY_PATH, cache: env.TRIVY_CACHE_DIR, ...access }),
    docker: createDocker({
      host: env.DOCKER_HOST,
      logins: logins.all,
      insecure: logins.insecure,
      buildx: env.BUILDX,
      git,
      registry,
      settings: () => settings().builds,
      secret: logins.secret,
    }),
    dockerHost: createDockerHosts(() => settings().dockerHosts, access.credentials),
    harbor: createHarbor({
      settings: () => settings().harbor,
      username: env.HARBOR_USERNAME,
      password: env.HARBOR_PASSWORD,
      secret: logins.secret,
    }),
    git,
    metrics: createPrometheus(env.METRICS_ENDPOINT),
    hooks: createHooks(),
  };
  return { clients, close: clusters.close };
}
