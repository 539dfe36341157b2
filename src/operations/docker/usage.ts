import { z } from 'zod';
import { at, type JsonObject, text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { HostRef, hostOf } from './host.ts';
import { bytesText, list, number } from './reading.ts';
import { usageOf } from './usage-read.ts';

type Part = {
  name: string;
  prune: string;
  all: JsonObject[];
  size: (each: JsonObject) => number;
  used: (each: JsonObject) => boolean;
};

function rowOf({ name, prune, all, size, used }: Part): string[] {
  const sum = (some: JsonObject[]) => some.reduce((total, each) => total + Math.max(0, size(each)), 0);
  const idle = all.filter((each) => !used(each));
  return [
    name,
    String(all.length),
    String(all.length - idle.length),
    bytesText(sum(all)),
    bytesText(sum(idle)),
    idle.length > 0 ? prune : '',
  ];
}

export const dockerUsage = defineOperation({
  name: 'docker-usage',
  summary: 'Show what takes room on a Docker host, and what could be freed',
  effect: 'read',
  input: z.strictObject({ host: HostRef.optional() }),
  usage: '[on <host>]',
  examples: ['on build'],
  routes: [
    route({
      method: 'GET',
      path: '/docker/hosts/:host/usage',
      summary: 'What takes room on a Docker host',
      request: z.object({ host: HostRef }),
      input: (request) => request,
    }),
  ],
  needs: ['dockerHost'],
  steps: ['read'],
  target: () => ({}),
  plan: async (context, { host }) => ({ summary: `room on ${hostOf(context, host).name}`, changes: [], takesOver: [] }),
  run: async (run, { host: asked }) => {
    const host = hostOf(run, asked);
    const usage = await run.step('read', async ({ signal }) => (await usageOf(host, signal)) ?? {});
    const prune = (what: string) => `/ship docker prune ${what} on ${host.name}`;
    const parts: Part[] = [
      {
        name: 'Images',
        prune: prune('all-images'),
        all: list(at(usage, 'Images')),
        size: (each) => number(each.Size) - Math.max(0, number(each.SharedSize)),
        used: (each) => number(each.Containers) > 0,
      },
      {
        name: 'Containers',
        prune: prune('containers'),
        all: list(at(usage, 'Containers')),
        size: (each) => number(each.SizeRw),
        used: (each) => ['running', 'paused', 'restarting'].includes(text(each.State)),
      },
      {
        name: 'Volumes',
        prune: prune('volumes'),
        all: list(at(usage, 'Volumes')),
        size: (each) => number(at(each, 'UsageData', 'Size')),
        used: (each) => number(at(each, 'UsageData', 'RefCount')) > 0,
      },
      {
        name: 'Build cache',
        prune: prune('cache'),
        all: list(at(usage, 'BuildCache')),
        size: (each) => (each.Shared === true ? 0 : number(each.Size)),
        used: (each) => each.InUse === true,
      },
    ];
    const columns = ['What', 'Number', 'In use', 'Size', 'Could be freed', 'By'];
    return { kind: 'table', title: `Room on ${host.name}`, columns, rows: parts.map(rowOf) };
  },
});
