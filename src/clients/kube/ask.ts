import { fault } from '../../core/errors.ts';
import { isObject, type Json } from '../../core/json.ts';
import type { Kube } from '../../core/kube.ts';
import { type Connection, RefusedCall } from './connection.ts';
import { kindNamed, objectPath } from './resources.ts';

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * See `Kube.ask`. What the API server itself says instead of a pod is a Status: no pod is ready, or it may not be asked.
 * https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls
 */
export async function askService(
  connection: Connection,
  ...[{ namespace, name, port }, path, signal]: Parameters<Kube['ask']>
): ReturnType<Kube['ask']> {
  const service = objectPath(kindNamed('Service'), { namespace, name: `${name}:${port}` });
  const answer = await connection.answer({ method: 'GET', path: `${service}/proxy${path}`, signal });
  const body = parsed(answer.text);
  if (answer.status < 400 || !isObject(body) || body.kind !== 'Status' || body.apiVersion !== 'v1') return answer;
  if (answer.status < 500) throw new RefusedCall({ status: answer.status, body });
  throw fault('CLUSTER_UNREACHABLE', { cluster: connection.cluster, problem: String(body.message ?? answer.status) });
}
