import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { Switch } from '../../core/values.ts';
import { callSteps, doCalls } from './calls.ts';
import { findOrSay } from './find.ts';
import { DockerName, HostRef, hostOf } from './host.ts';
import { list } from './reading.ts';

const fields = {
  name: DockerName.describe('The container'),
  force: Switch.default(false).describe('Also while it runs'),
  volumes: Switch.default(false).describe('With its nameless volumes'),
};

export const dockerRemove = defineOperation({
  name: 'docker-remove',
  summary: 'Delete a container',
  effect: 'change',
  input: z.strictObject({ ...fields, host: HostRef.optional() }),
  usage: '<name> [on <host>] [force=<force>] [volumes=<volumes>]',
  examples: ['job on build', 'web on build force=yes'],
  routes: [
    route({
      method: 'DELETE',
      path: '/docker/hosts/:host/containers/:name',
      summary: 'Delete a container',
      request: z.object({ ...fields, host: HostRef }),
      input: (request) => request,
    }),
  ],
  needs: ['dockerHost'],
  steps: callSteps,
  limits: { steps: { do: 2 * 60_000 } },
  target: () => ({}),
  plan: async (context, { name, host: asked, force, volumes }) => {
    const host = hostOf(context, asked);
    const live = await findOrSay(host, 'container', name, context.signal);
    const state = text(at(live, 'State', 'Status'));
    const runs = ['running', 'paused', 'restarting'].includes(state);
    if (runs && !force)
      throw fault('STILL_USED', {
        kind: 'container',
        name,
        users: `those who reach it: it is ${state}`,
        way: `Stop it first (/ship docker stop ${name} on ${host.name}), or ask again with force=yes.`,
      });
    const nameless = list(live.Mounts).filter(
      ({ Type: type, Name: volume }) => type === 'volume' && /^[0-9a-f]{64}$/.test(text(volume)),
    );
    const lost = volumes
      ? nameless.map(({ Name: volume }) => ({
          path: `volume/${text(volume).slice(0, 12)}`,
          from: 'there',
          to: 'deleted',
        }))
      : [];
    return {
      summary: `${name} on ${host.name}: ${state} → deleted`,
      changes: [{ path: `container/${name}`, from: state, to: 'deleted' }, ...lost],
      docker: {
        host: host.name,
        calls: [{ kind: 'remove', object: 'container', id: text(live.Id), name, force, volumes }],
      },
      takesOver: [],
    };
  },
  run: doCalls,
});
