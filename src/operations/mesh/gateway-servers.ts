import { z } from 'zod';
import type { Edit } from '../../core/edits.ts';
import { fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import { labelsText, list, nameIn, words } from '../kubernetes/reading.ts';
import { editTo } from './objects.ts';

/** `shop.example.com`, `*.example.com`, or `*`. */
export const Host = z
  .string()
  .max(253)
  .regex(
    /^(\*|(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+)$/,
    'must be a host such as shop.example.com or *.example.com',
  );

const protocols = ['HTTP', 'HTTPS', 'HTTP2', 'GRPC', 'TCP', 'TLS'] as const;
export const MeshProtocol = z.preprocess(
  (word) => (typeof word === 'string' ? word.toUpperCase() : word),
  z.enum(protocols, `must be of ${protocols.join(', ')}`),
);

/** What is asked of one port of a Gateway. */
export type Port = {
  hosts: string[];
  port: number;
  protocol?: z.output<typeof MeshProtocol> | undefined;
  tls?: string | undefined;
  redirect?: boolean | undefined;
};

/** @throws Fault BAD_INPUT for what istiod’s own check would refuse, also where it is not there to */
export function serverOf({ port, protocol = undefined, tls, redirect, hosts }: Port): JsonObject {
  const as = protocol ?? (tls === undefined ? 'HTTP' : 'HTTPS');
  const secure = as === 'HTTPS' || as === 'TLS';
  if (secure && tls === undefined) throw fault('BAD_INPUT', { problem: `${as} needs a certificate: tls=SECRET.` });
  if (!secure && tls !== undefined)
    throw fault('BAD_INPUT', { problem: `${as} takes no certificate: use HTTPS or TLS.` });
  if (redirect && as !== 'HTTP') throw fault('BAD_INPUT', { problem: 'Only plain HTTP can be sent on to HTTPS.' });
  const security: JsonObject = secure
    ? { tls: { mode: 'SIMPLE', credentialName: tls ?? '' } }
    : redirect
      ? { tls: { httpsRedirect: true } }
      : {};
  return { port: { number: port, name: `${as.toLowerCase()}-${port}`, protocol: as }, hosts, ...security };
}

/** The server of this port and host is changed; others at the same port, with certificates of their own, stay. */
export function serverEdit(gateway: JsonObject, server: JsonObject, { port, hosts }: Port): Edit {
  const all = list(at(gateway, 'spec', 'servers'));
  const index = all.findIndex(
    (each) => at(each, 'port', 'number') === port && words(each.hosts).some((host) => hosts.includes(host)),
  );
  const live = all[index];
  // A port keeps the name that it has: routes may speak of it.
  if (live) {
    const name = at(live, 'port', 'name') ?? at(server, 'port', 'name') ?? '';
    const kept: JsonObject = { ...live, ...server, port: { ...Object(server.port), name } };
    return editTo(gateway, ['spec', 'servers', index], server.tls === undefined ? without(kept, 'tls') : kept);
  }
  const taken = new Set(all.map((each) => at(each, 'port', 'name')));
  const name = text(at(server, 'port', 'name'));
  const free = taken.has(name) ? `${name}-${all.length}` : name;
  const named: JsonObject = { ...Object(server.port), name: free };
  return editTo(gateway, ['spec', 'servers', { port: named }], { ...server, port: named });
}

const without = (object: JsonObject, key: string): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));

/** The same host and port at two gateways of the same pods: which of them answers is chance. */
export function rivals(all: readonly JsonObject[], mine: JsonObject, { port, hosts }: Port): string {
  const found = all.filter(
    (each) =>
      nameIn(each) !== nameIn(mine) &&
      labelsText(at(each, 'spec', 'selector')) === labelsText(at(mine, 'spec', 'selector')) &&
      list(at(each, 'spec', 'servers')).some(
        (server) => at(server, 'port', 'number') === port && words(server.hosts).some((host) => hosts.includes(host)),
      ),
  );
  return found.length > 0
    ? `; ${found.map(nameIn).join(', ')} has the same host and port, and one of them will not be heard`
    : '';
}
