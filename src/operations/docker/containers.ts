import { z } from 'zod';
import { at, text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { Switch } from '../../core/values.ts';
import { all } from './find.ts';
import { HostRef, hostOf } from './host.ts';
import { ageOf, bytesText, nameOf, number, portsText } from './reading.ts';

const byFirst = (a: string[], b: string[]) => (a[0] ?? '').localeCompare(b[0] ?? '');

export const dockerHosts = defineOperation({
  name: 'docker-hosts',
  summary: 'Show the Docker hosts: whether they answer, and what runs there',
  effect: 'read',
  input: z.strictObject({}),
  usage: '',
  examples: [''],
  routes: [
    route({ method: 'GET', path: '/docker/hosts', summary: 'Docker hosts', request: z.object({}), input: () => ({}) }),
  ],
  needs: ['dockerHost'],
  steps: ['read'],
  target: () => ({}),
  plan: async () => ({ summary: 'Docker hosts', changes: [], takesOver: [] }),
  run: async (run) => {
    const names = Object.keys(run.settings.dockerHosts);
    const rows = await run.step('read', async ({ signal }) =>
      Promise.all(
        names.map(async (name) => {
          const address = run.settings.dockerHosts[name]?.address ?? '';
          try {
            const info = await hostOf(run, name).client.read(['info'], {}, signal);
            const running = `${number(at(info, 'ContainersRunning'))} of ${number(at(info, 'Containers'))}`;
            const size = `${number(at(info, 'NCPU'))} CPU, ${bytesText(number(at(info, 'MemTotal')))}`;
            return [name, address, text(at(info, 'ServerVersion')), running, String(number(at(info, 'Images'))), size];
          } catch (thrown) {
            if (signal.aborted) throw thrown;
            return [name, address, thrown instanceof Error ? thrown.message : 'does not answer', '', '', ''];
          }
        }),
      ),
    );
    const note = rows.length === 0 ? 'shipmate.yaml names none (dockerHosts).' : undefined;
    const columns = ['Host', 'Address', 'Docker', 'Running', 'Images', 'Size'];
    return { kind: 'table', title: 'Docker hosts', columns, rows, ...(note && { note }) };
  },
});

export const dockerContainers = defineOperation({
  name: 'docker-containers',
  summary: 'Show a Docker host’s containers; with all=yes those that are stopped too',
  effect: 'read',
  input: z.strictObject({ host: HostRef.optional(), all: Switch.default(false) }),
  usage: '[on <host>] [all=<all>]',
  examples: ['on build', 'on build all=yes'],
  routes: [
    route({
      method: 'GET',
      path: '/docker/hosts/:host/containers',
      summary: 'Containers of a Docker host',
      request: z.object({ host: HostRef, all: Switch.optional() }),
      input: (request) => request,
    }),
  ],
  needs: ['dockerHost'],
  steps: ['read'],
  target: () => ({}),
  plan: async (context, { host }) => ({
    summary: `containers on ${hostOf(context, host).name}`,
    changes: [],
    takesOver: [],
  }),
  run: async (run, { host: asked, all: stopped }) => {
    const host = hostOf(run, asked);
    const found = await run.step('read', ({ signal }) => all(host, 'container', signal));
    const shown = found.filter(({ State: state }) => stopped || state === 'running' || state === 'paused');
    const rows = shown.map((container) => [
      nameOf(container),
      text(container.Image),
      text(container.Status) || text(container.State),
      portsText(container),
      ageOf(container.Created, run.now()),
    ]);
    const hidden = found.length - shown.length;
    return {
      kind: 'table',
      title: `Containers on ${host.name}`,
      columns: ['Name', 'Image', 'State', 'Ports', 'Age'],
      rows: rows.sort(byFirst),
      ...(hidden > 0 && { note: `${hidden} more are stopped: all=yes shows them.` }),
    };
  },
});
