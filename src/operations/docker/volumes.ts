import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { type JsonObject, text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { identityOf } from './as-planned.ts';
import { callSteps, doCalls } from './calls.ts';
import { all, find, findOrSay } from './find.ts';
import { DockerName, HostRef, hostOf } from './host.ts';
import { agoText, list, nameOf } from './reading.ts';
import { hostTable } from './table.ts';

const Name = DockerName.describe('The volume');

/** Names of the containers that mount a volume, whether they run or not. */
const usersOf = (containers: readonly JsonObject[], volume: string): string[] =>
  containers.filter(({ Mounts: mounts }) => list(mounts).some(({ Name: name }) => name === volume)).map(nameOf);

export const dockerVolumes = hostTable({
  kind: 'volumes',
  summary: 'Show a Docker host’s volumes, and who uses them',
  read: (host, signal) => Promise.all([all(host, 'volume', signal), all(host, 'container', signal)]),
  columns: ['Name', 'Driver', 'Used by', 'Age'],
  rows: ([volumes, containers], now) =>
    volumes.map((volume) => [
      text(volume.Name),
      text(volume.Driver),
      usersOf(containers, text(volume.Name)).join(', '),
      agoText(volume.CreatedAt, now),
    ]),
});

export const dockerVolumeCreate = defineOperation({
  name: 'docker-volume-create',
  summary: 'Make a volume on a Docker host',
  effect: 'change',
  input: z.strictObject({ name: Name, host: HostRef.optional() }),
  usage: '<name> [on <host>]',
  examples: ['data on build'],
  routes: [
    route({
      method: 'POST',
      path: '/docker/hosts/:host/volumes',
      summary: 'Make a volume',
      request: z.object({ host: HostRef, name: Name }),
      input: (request) => request,
    }),
  ],
  needs: ['dockerHost'],
  steps: callSteps,
  target: () => ({}),
  plan: async (context, { name, host: asked }) => {
    const host = hostOf(context, asked);
    if (await find(host, 'volume', name, context.signal))
      throw fault('OBJECT_EXISTS', { kind: 'volume', name, where: host.name });
    return {
      summary: `volume ${name} on ${host.name}`,
      changes: [{ path: `volume/${name}`, to: 'local' }],
      docker: { host: host.name, calls: [{ kind: 'create', object: 'volume', name, body: { Driver: 'local' } }] },
      takesOver: [],
      undo: { operation: 'docker-volume-remove', input: { name, host: host.name } },
    };
  },
  run: doCalls,
});

export const dockerVolumeRemove = defineOperation({
  name: 'docker-volume-remove',
  summary: 'Delete a volume that nobody uses, with all that is in it',
  effect: 'change',
  input: z.strictObject({ name: Name, host: HostRef.optional() }),
  usage: '<name> [on <host>]',
  examples: ['spare on build'],
  routes: [
    route({
      method: 'DELETE',
      path: '/docker/hosts/:host/volumes/:name',
      summary: 'Delete a volume',
      request: z.object({ host: HostRef, name: Name }),
      input: (request) => request,
    }),
  ],
  needs: ['dockerHost'],
  steps: callSteps,
  target: () => ({}),
  plan: async (context, { name, host: asked }) => {
    const host = hostOf(context, asked);
    const live = await findOrSay(host, 'volume', name, context.signal);
    const users = usersOf(await all(host, 'container', context.signal), name);
    if (users.length > 0)
      throw fault('STILL_USED', {
        kind: 'volume',
        name,
        users: users.join(', '),
        way: 'Remove those containers first.',
      });
    return {
      summary: `volume ${name} on ${host.name} → deleted, with its data`,
      changes: [{ path: `volume/${name}`, from: `made ${text(live.CreatedAt)}`, to: 'deleted for good' }],
      docker: {
        host: host.name,
        calls: [
          {
            kind: 'remove',
            object: 'volume',
            id: name,
            name,
            was: identityOf('volume', live),
            force: false,
            volumes: false,
          },
        ],
      },
      takesOver: [],
    };
  },
  run: doCalls,
});
