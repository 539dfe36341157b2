import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Identity } from '../../core/identity.ts';

/** https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/ Each group is a header of its own. */
export const impersonation = ({ user, groups }: Identity): Record<string, string | string[]> => ({
  'impersonate-user': user,
  ...(groups.length > 0 && { 'impersonate-group': [...groups] }),
});

/** A config whose calls are made in somebody's name; the library's own way to do that knows no groups. */
export async function inNameOf(config: KubeConfig, as: Identity): Promise<KubeConfig> {
  const library = await import('@kubernetes/client-node');
  const own = new library.KubeConfig();
  const { clusters, users, contexts, currentContext } = config;
  own.loadFromOptions({ clusters, users, contexts, currentContext });
  own.applyToHTTPSOptions = async (options: RequestOptions) => {
    await config.applyToHTTPSOptions(options);
    options.headers = { ...Object.fromEntries(Object.entries(options.headers ?? {})), ...impersonation(as) };
  };
  return own;
}
