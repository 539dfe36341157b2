import type { Environment } from './variables.ts';

/** What the environment says of registries: the own one, and Docker Hub under both of its names. */
function registryCredentials(env: Environment) {
  const own = env.REGISTRY_URL && env.REGISTRY_USERNAME && env.REGISTRY_PASSWORD;
  const hub = env.DOCKER_USERNAME && env.DOCKER_PASSWORD;
  return [
    ...(own
      ? [
          {
            host: new URL(env.REGISTRY_URL ?? '').host,
            username: env.REGISTRY_USERNAME ?? '',
            password: env.REGISTRY_PASSWORD ?? '',
          },
        ]
      : []),
    ...(hub
      ? ['registry-1.docker.io', 'docker.io'].map((host) => ({
          host,
          username: env.DOCKER_USERNAME ?? '',
          password: env.DOCKER_PASSWORD ?? '',
          email: env.DOCKER_EMAIL,
        }))
      : []),
  ];
}

/** What all that speaks to registries needs to know: the credentials, and which of them speaks plain http. */
export function registryAccess(env: Environment) {
  const insecureHosts = env.REGISTRY_URL?.startsWith('http://') ? [new URL(env.REGISTRY_URL).host] : [];
  return { credentials: registryCredentials(env), insecureHosts };
}
