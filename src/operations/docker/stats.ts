import { z } from 'zod';
import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { all, findOrSay } from './find.ts';
import { DockerName, HostRef, hostOf, type OnHost } from './host.ts';
import { bytesText, list, nameOf, number } from './reading.ts';

const most = 30;

/** What share of one CPU it used between Docker's two looks; `docker stats` counts in the same way. */
function cpuText(stats: JsonObject): string {
  const [now, before] = [stats.cpu_stats, stats.precpu_stats];
  const own = number(at(now, 'cpu_usage', 'total_usage')) - number(at(before, 'cpu_usage', 'total_usage'));
  const whole = number(at(now, 'system_cpu_usage')) - number(at(before, 'system_cpu_usage'));
  const cpus = number(at(now, 'online_cpus')) || 1;
  return whole > 0 ? `${((own / whole) * cpus * 100).toFixed(1)} %` : '';
}

/** Cached files are not counted: they go when somebody else needs the room. */
function memoryText(stats: JsonObject): string {
  const memory = stats.memory_stats;
  const cache = number(at(memory, 'stats', 'total_inactive_file')) || number(at(memory, 'stats', 'inactive_file'));
  const [used, limit] = [number(at(memory, 'usage')) - cache, number(at(memory, 'limit'))];
  const share = limit > 0 ? ` (${((used / limit) * 100).toFixed(1)} %)` : '';
  return `${bytesText(Math.max(0, used))} of ${bytesText(limit)}${share}`;
}

function networkText({ networks }: JsonObject): string {
  const cards = isObject(networks) ? Object.values(networks).filter(isObject) : [];
  const sum = (field: string) => cards.reduce((total, card) => total + number(card[field]), 0);
  return cards.length === 0 ? '' : `${bytesText(sum('rx_bytes'))} in, ${bytesText(sum('tx_bytes'))} out`;
}

function discText({ blkio_stats: disc }: JsonObject): string {
  const all = list(at(disc, 'io_service_bytes_recursive'));
  const sum = (wanted: string) =>
    all.reduce((total, { op, value }) => total + (text(op).toLowerCase() === wanted ? number(value) : 0), 0);
  return all.length === 0 ? '' : `${bytesText(sum('read'))} read, ${bytesText(sum('write'))} written`;
}

async function rowOf(host: OnHost, id: string, name: string, signal: AbortSignal): Promise<string[]> {
  const stats = await host.client.read(['containers', id, 'stats'], { stream: '0' }, signal);
  if (!isObject(stats)) return [name, 'gone', '', '', '', ''];
  return [
    name,
    cpuText(stats),
    memoryText(stats),
    networkText(stats),
    discText(stats),
    String(number(at(stats, 'pids_stats', 'current'))),
  ];
}

async function chosen(host: OnHost, name: string | undefined, signal: AbortSignal): Promise<[string, string][]> {
  if (name !== undefined) return [[text((await findOrSay(host, 'container', name, signal)).Id), name]];
  const running = (await all(host, 'container', signal)).filter(({ State: state }) => state === 'running');
  return running
    .map((container): [string, string] => [text(container.Id), nameOf(container)])
    .sort(([, a], [, b]) => a.localeCompare(b));
}

export const dockerStats = defineOperation({
  name: 'docker-stats',
  summary: 'Show what containers use: CPU, memory, network, disc',
  effect: 'read',
  input: z.strictObject({ name: DockerName.optional().describe('One container'), host: HostRef.optional() }),
  usage: '[<name>] [on <host>]',
  examples: ['on build', 'web on build'],
  routes: [
    route({
      method: 'GET',
      path: '/docker/hosts/:host/containers/:name/stats',
      summary: 'What a container uses',
      request: z.object({ host: HostRef, name: DockerName }),
      input: (request) => request,
    }),
    route({
      method: 'GET',
      path: '/docker/hosts/:host/stats',
      summary: 'What the running containers use',
      request: z.object({ host: HostRef }),
      input: (request) => request,
    }),
  ],
  needs: ['dockerHost'],
  steps: ['read'],
  target: () => ({}),
  plan: async (context, { host }) => ({ summary: `use on ${hostOf(context, host).name}`, changes: [], takesOver: [] }),
  run: async (run, { name, host: asked }) => {
    const host = hostOf(run, asked);
    const { rows, more } = await run.step('read', async ({ signal }) => {
      const found = await chosen(host, name, signal);
      const looked = found.slice(0, most).map(([id, each]) => rowOf(host, id, each, signal));
      return { rows: await Promise.all(looked), more: Math.max(0, found.length - most) };
    });
    const note =
      more > 0
        ? `${more} more run there: ask for one by its name.`
        : rows.length === 0
          ? 'Nothing runs there.'
          : undefined;
    const columns = ['Name', 'CPU', 'Memory', 'Network', 'Disc', 'Processes'];
    return { kind: 'table', title: `Use on ${host.name}`, columns, rows, ...(note && { note }) };
  },
});
