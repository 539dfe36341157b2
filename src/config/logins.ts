import type { SecretRef } from '../core/image-settings.ts';
import type { Settings } from '../core/settings.ts';
import { registryAccess } from './credentials.ts';
import { readSecret } from './secrets.ts';
import type { Environment } from './variables.ts';

const own = <Value>(record: Record<string, Value>, key: string): Value | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

/** Who Shipmate is to registries and Git servers, each by its host, as the environment and the settings in force say. */
export function createLogins(env: Environment, settings: () => Pick<Settings, 'registries' | 'gitLogins'>) {
  const { credentials, insecureHosts } = registryAccess(env);
  const secret = (ref: SecretRef) => readSecret(ref, process.env);
  const registry = (host: string) => {
    const { username, password } = own(settings().registries, host) ?? {};
    if (username === undefined || password === undefined) return undefined;
    return { host, username, password: secret(password) };
  };
  return {
    secret,
    /** For a client that asks by host. */
    access: {
      credentials,
      insecureHosts,
      known: (host: string) => ({
        credentials: registry(host),
        insecure: own(settings().registries, host)?.insecure === true,
      }),
    },
    /** All of them, for programs that are told before they ask. */
    all: () => {
      const named = Object.keys(settings().registries).flatMap((host) => registry(host) ?? []);
      return [...named, ...credentials.filter(({ host }) => !named.some((each) => each.host === host))];
    },
    insecure: () => [
      ...insecureHosts,
      ...Object.entries(settings().registries).flatMap(([host, each]) => (each.insecure ? [host] : [])),
    ],
    git: (host: string) => {
      const found = own(settings().gitLogins, host);
      return found && { username: found.username, password: secret(found.password) };
    },
  };
}
