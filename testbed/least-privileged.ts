import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { leastPrivilege } from '../scripts/least-privilege.ts';
import { catalogue } from '../src/operations/catalogue.ts';
import { kubeconfigOf } from './cluster.ts';
import type { Testbed } from './testbed.ts';

/**
 * A kubeconfig of a service account that may do what the generated manifest says, in these namespaces, and nothing else: what
 * works here works with least privilege.
 */
export async function leastPrivileged({ dir, kubernetes }: Testbed, namespaces: readonly string[]): Promise<string> {
  const { kubectl, context, server, kubeconfig } = kubernetes;
  const objects = leastPrivilege(catalogue, { namespaces, home: 'shipmate' });
  await kubectl(['apply', '-f', '-'], objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  const token = await kubectl(['create', 'token', 'shipmate', '-n', 'shipmate', '--duration=24h']);
  const path = join(dir, 'kubeconfig-shipmate');
  const config = JSON.parse(await readFile(kubeconfig, 'utf8'));
  const ca = Buffer.from(config.clusters[0].cluster['certificate-authority-data'], 'base64').toString();
  await writeFile(path, kubeconfigOf(context, server, ca, token.trim()), { mode: 0o600 });
  return path;
}
