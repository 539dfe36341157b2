import { isIPv6 } from 'node:net';
import { dirname, resolve } from 'node:path';
import type { Cluster, User } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { z } from 'zod';
import { readGiven } from '../../files/regular-file.ts';

/** One way into one cluster, in the client library's own shapes. `tokenFile`: what is in it changes, so it is read anew. */
export type Entry = { cluster: Cluster; user: User & { tokenFile?: string } };

const Text = z
  .string()
  .nullish()
  .transform((value) => value || undefined);
const listOf = <Part extends z.ZodType>(part: Part) =>
  z
    .array(part)
    .nullish()
    .transform((value) => value ?? []);

/** https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ What Shipmate has no use for is left out. */
const Kubeconfig = z.object({
  'current-context': Text,
  contexts: listOf(z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: Text }) })),
  clusters: listOf(
    z.object({
      name: z.string(),
      cluster: z.object({
        server: z.string(),
        'certificate-authority': Text,
        'certificate-authority-data': Text,
        'tls-server-name': Text,
        'insecure-skip-tls-verify': z.boolean().nullish(),
        'proxy-url': Text,
      }),
    }),
  ),
  users: listOf(
    z.object({
      name: z.string(),
      user: z
        .object({
          token: Text,
          tokenFile: Text,
          'client-certificate': Text,
          'client-certificate-data': Text,
          'client-key': Text,
          'client-key-data': Text,
          username: Text,
          password: Text,
          as: Text,
          exec: z.unknown().optional(),
          'auth-provider': z.unknown().optional(),
        })
        .nullish(),
    }),
  ),
});
type Kubeconfig = z.output<typeof Kubeconfig>;

type At = (file?: string) => string | undefined;

function clusterOf({ clusters }: Kubeconfig, name: string, at: At): Cluster | undefined {
  const found = clusters.find((each) => each.name === name)?.cluster;
  return (
    found && {
      name,
      server: found.server.replace(/\/$/, ''),
      skipTLSVerify: found['insecure-skip-tls-verify'] === true,
      caFile: at(found['certificate-authority']),
      caData: found['certificate-authority-data'],
      tlsServerName: found['tls-server-name'],
      proxyUrl: found['proxy-url'],
    }
  );
}

function userOf({ users }: Kubeconfig, name: string, at: At): Entry['user'] {
  const found = users.find((each) => each.name === name)?.user;
  return {
    name,
    token: found?.token,
    tokenFile: at(found?.tokenFile),
    certFile: at(found?.['client-certificate']),
    certData: found?.['client-certificate-data'],
    keyFile: at(found?.['client-key']),
    keyData: found?.['client-key-data'],
    username: found?.username,
    password: found?.password,
    impersonateUser: found?.as,
    exec: found?.exec,
    authProvider: found?.['auth-provider'],
  };
}

/** Those of people with many clusters have some hundred kilobytes. */
const largest = 8 * 1_048_576;

/** The contexts of a kubeconfig file, and what each leads to. @throws where the file cannot be read */
export function readKubeconfig(file: string) {
  const read = Kubeconfig.parse(parse(readGiven(file, largest).toString('utf8')));
  const at = (path?: string) => (path === undefined ? undefined : resolve(dirname(file), path));
  return {
    current: read['current-context'] ?? '',
    contexts: read.contexts.map(({ name }) => name),
    entry: (name: string): Entry | 'no cluster' | undefined => {
      const context = read.contexts.find((each) => each.name === name)?.context;
      const cluster = context && clusterOf(read, context.cluster, at);
      if (!cluster) return context && 'no cluster';
      return { cluster, user: userOf(read, context.user ?? '', at) };
    },
  };
}

const mounted = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The cluster in whose pod this runs. https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
export function inClusterEntry(env: NodeJS.ProcessEnv = process.env): Entry {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = env;
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return {
    cluster: { name: 'in-cluster', server, skipTLSVerify: false, caFile: `${mounted}/ca.crt` },
    user: { name: 'in-cluster', tokenFile: `${mounted}/token` },
  };
}
