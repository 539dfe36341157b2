import { at, type JsonObject, text } from '../../core/json.ts';
import { DockerName } from './host.ts';
import { list } from './reading.ts';

export const NetworkName = DockerName.describe('The network');

const own = new Set(['bridge', 'host', 'none', 'ingress', 'docker_gwbridge']);

/** Whether it is one that Docker made for itself. */
export const isOwn = (name: string): boolean => own.has(name);

/** The ranges of addresses of a network. */
export const subnetsOf = (network: JsonObject) =>
  list(at(network, 'IPAM', 'Config'))
    .map(({ Subnet: subnet }) => text(subnet))
    .join(', ');
