import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { readGiven } from '../../files/regular-file.ts';
import type { Entry } from './kubeconfig.ts';

/** Who Shipmate is to one cluster, by what one kubeconfig says. */
export type Access = {
  server: string;
  /** TLS and headers for a call that is made now; a plugin or identity provider is asked where the token has run out. */
  options(): Promise<RequestOptions>;
  /** For what the client library speaks itself: commands in containers. */
  library(): Promise<KubeConfig>;
};

/** A certificate authority's bundle has a quarter of it. */
const largest = 1_048_576;

function bytesOf(file: string | undefined, data: string | undefined): Buffer | undefined {
  if (file !== undefined) return readGiven(file, largest);
  return data === undefined ? undefined : Buffer.from(data, 'base64');
}

/** Tokens and certificates that stand in the kubeconfig, or in files. A file is read for every call: it may be renewed. */
function plainOptions({ cluster, user }: Entry): RequestOptions {
  const ca = bytesOf(cluster.caFile, cluster.caData);
  const cert = bytesOf(user.certFile, user.certData);
  const key = bytesOf(user.keyFile, user.keyData);
  const token = user.tokenFile === undefined ? user.token : readGiven(user.tokenFile, largest).toString('utf8');
  const { skipTLSVerify, tlsServerName } = cluster;
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(skipTLSVerify && { rejectUnauthorized: false }),
    ...(tlsServerName !== undefined && { servername: tlsServerName }),
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token.trim()}` }),
      ...(user.impersonateUser !== undefined && { 'impersonate-user': user.impersonateUser }),
    },
  };
}

/**
 * The client library takes half a second of CPU and 80 MB to import, most of it for models that nobody asks for. So it is
 * imported at the first need only: for exec plugins and identity providers, and for commands in containers.
 */
const libraryOf = async ({ cluster, user }: Entry): Promise<KubeConfig> => {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  const { tokenFile, ...rest } = user;
  const fromFile = tokenFile !== undefined && { authProvider: { name: 'tokenFile', config: { tokenFile } } };
  config.loadFromClusterAndUser(cluster, { ...rest, ...fromFile });
  return config;
};

export function accessBy(entry: Entry): Access {
  let made: Promise<KubeConfig> | undefined;
  // One for all calls: it remembers the token that a plugin gave.
  const library = () => {
    made ??= libraryOf(entry);
    return made;
  };
  const asks = Boolean(entry.user.exec ?? entry.user.authProvider);
  return {
    server: entry.cluster.server,
    options: async () => {
      if (!asks) return plainOptions(entry);
      const options: RequestOptions = {};
      await (await library()).applyToHTTPSOptions(options);
      return options;
    },
    library,
  };
}
