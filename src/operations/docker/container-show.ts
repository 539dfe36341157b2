import { z } from 'zod';
import { at, isObject, type Json, type JsonObject, text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { mask, soundsSecret } from '../../core/secret-names.ts';
import { findOrSay } from './find.ts';
import { DockerName, HostRef, hostOf } from './host.ts';
import { agoText, bytesText, list, number, words } from './reading.ts';

const Input = z.strictObject({ name: DockerName.describe('The container'), host: HostRef.optional() });

/** Values of variables that sound like secrets are nobody's to see. */
const variable = (entry: string): string => {
  const [name = ''] = entry.split('=');
  return soundsSecret(name) ? `${name}=${mask}` : entry;
};

function portLines(ports: Json | undefined): string[] {
  if (!isObject(ports)) return [];
  return Object.entries(ports).map(([inner, outer]) =>
    [
      inner,
      list(outer)
        .map(({ HostIp: ip, HostPort: port }) => `${text(ip)}:${text(port)}`)
        .join(', '),
    ]
      .filter(Boolean)
      .join(' at '),
  );
}

function limitsText(config: Json | undefined): string {
  const memory = number(at(config, 'Memory'));
  const cpus = number(at(config, 'NanoCpus')) / 1e9;
  const pids = number(at(config, 'PidsLimit'));
  return (
    [memory > 0 && bytesText(memory), cpus > 0 && `${cpus} CPU`, pids > 0 && `${pids} processes`]
      .filter(Boolean)
      .join(', ') || 'none'
  );
}

function stateText(container: JsonObject, now: number): string {
  const state = container.State;
  const status = text(at(state, 'Status'));
  const health = text(at(state, 'Health', 'Status'));
  const since = agoText(at(state, status === 'running' ? 'StartedAt' : 'FinishedAt'), now);
  const exit = status === 'exited' ? `exit code ${number(at(state, 'ExitCode'))}` : '';
  const killed = at(state, 'OOMKilled') === true ? 'out of memory' : '';
  return [status, health, exit, killed, since && `for ${since}`, text(at(state, 'Error'))].filter(Boolean).join(', ');
}

/** What a person wants to know of a container, in the order in which they ask. */
function rowsOf(container: JsonObject, now: number): string[][] {
  const { HostConfig: host, Config: config } = container;
  const mounts = list(container.Mounts).map(
    ({ Name: name, Source: source, Destination: to, RW: writable }) =>
      `${text(name) || text(source)} at ${text(to)}${writable === false ? ' (read only)' : ''}`,
  );
  const restart = text(at(host, 'RestartPolicy', 'Name')) || 'no';
  const networks = at(container, 'NetworkSettings', 'Networks');
  return [
    ['state', stateText(container, now)],
    ['restarts', String(number(container.RestartCount))],
    ['image', text(at(config, 'Image'))],
    ['command', [text(container.Path), ...words(container.Args)].join(' ')],
    ['limits', limitsText(host)],
    ['restart policy', restart],
    [
      'health check',
      words(at(config, 'Healthcheck', 'Test'))
        .slice(1)
        .join(' ') || 'none',
    ],
    ['ports', portLines(at(container, 'NetworkSettings', 'Ports')).join(', ')],
    ['networks', isObject(networks) ? Object.keys(networks).join(', ') : ''],
    ['mounts', mounts.join('\n')],
    ['variables', words(at(config, 'Env')).map(variable).join('\n')],
    ['privileged', at(host, 'Privileged') === true ? 'YES' : ''],
  ].filter(([, value]) => value !== '');
}

export const dockerShow = defineOperation({
  name: 'docker-show',
  summary: 'Show one container: state, limits, ports, mounts, variables',
  effect: 'read',
  input: Input,
  usage: '<name> [on <host>]',
  examples: ['web on build'],
  routes: [
    route({
      method: 'GET',
      path: '/docker/hosts/:host/containers/:name',
      summary: 'One container',
      request: z.object({ host: HostRef, name: DockerName }),
      input: (request) => request,
    }),
  ],
  needs: ['dockerHost'],
  steps: ['read'],
  target: () => ({}),
  plan: async (context, { name, host }) => ({
    summary: `${name} on ${hostOf(context, host).name}`,
    changes: [],
    takesOver: [],
  }),
  run: async (run, { name, host: asked }) => {
    const host = hostOf(run, asked);
    const rows = await run.step('read', async ({ signal }) =>
      rowsOf(await findOrSay(host, 'container', name, signal), run.now()),
    );
    return { kind: 'table', title: `${name} on ${host.name}`, columns: ['What', 'Value'], rows };
  },
});
