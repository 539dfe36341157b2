import { Fault } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import type { OnHost } from './host.ts';

/**
 * What takes room on a host, object by object. From API 1.52 on Docker answers with sums only, unless it is asked in an older version;
 * older daemons refuse a version that they don't know.
 */
export async function usageOf({ client }: OnHost, signal: AbortSignal): Promise<Json | undefined> {
  try {
    return await client.read(['v1.44', 'system', 'df'], {}, signal);
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== 'DOCKER_HOST_REFUSED') throw thrown;
    return await client.read(['system', 'df'], {}, signal);
  }
}
