import { z } from 'zod';
import type { DockerCall, DockerKind } from '../../core/docker-host.ts';
import { at, type Json, type JsonObject, text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { identityOf } from './as-planned.ts';
import { callSteps, doCalls } from './calls.ts';
import { all } from './find.ts';
import { HostRef, hostOf, type OnHost } from './host.ts';
import { isOwn } from './network-names.ts';
import { bytesText, list, nameOf, number, shortId, words } from './reading.ts';
import { usageOf } from './usage-read.ts';

const What = z
  .enum(['containers', 'images', 'all-images', 'volumes', 'networks', 'cache'])
  .describe('What is pruned: stopped containers; images without a name, or all that no container uses; …');
type What = z.output<typeof What>;

/** What goes, and what that frees where it is known. */
type Goes = { object: DockerKind; id: string; name: string; bytes: number; was: string; identity?: string };

const running = new Set(['running', 'paused', 'restarting']);

function containersOf(usage: Json | undefined): Goes[] {
  return list(at(usage, 'Containers'))
    .filter(({ State: state }) => !running.has(text(state)))
    .map((each) => {
      const was = `${text(each.Status) || text(each.State)}, ${text(each.Image)}`;
      return { object: 'container', id: text(each.Id), name: nameOf(each), bytes: number(each.SizeRw), was };
    });
}

/** By name where it has one, so that an image with two of them goes with the last. */
function imagesOf(usage: Json | undefined, named: boolean): Goes[] {
  return list(at(usage, 'Images')).flatMap((each) => {
    const tags = words(each.RepoTags).filter((tag) => tag !== '<none>:<none>');
    if (number(each.Containers) > 0 || (tags.length > 0 && !named)) return [];
    const bytes = number(each.Size) - Math.max(0, number(each.SharedSize));
    const id = text(each.Id);
    return (tags.length > 0 ? tags : [id]).map((name, index): Goes => {
      const shown = name === id ? shortId(id) : name;
      return {
        object: 'image',
        id: name,
        identity: id,
        name: shown,
        bytes: index === 0 ? bytes : 0,
        was: bytesText(index === 0 ? bytes : 0),
      };
    });
  });
}

function volumesOf(usage: Json | undefined): Goes[] {
  return list(at(usage, 'Volumes'))
    .filter((each) => number(at(each, 'UsageData', 'RefCount')) === 0)
    .map((each) => {
      const bytes = Math.max(0, number(at(each, 'UsageData', 'Size')));
      const name = text(each.Name);
      const identity = identityOf('volume', each);
      return { object: 'volume', id: name, identity, name, bytes, was: bytesText(bytes) };
    });
}

/** A list of networks does not say who is in them: only looking at each does. */
async function networksOf(host: OnHost, signal: AbortSignal): Promise<Goes[]> {
  const [networks, containers] = await Promise.all([all(host, 'network', signal), all(host, 'container', signal)]);
  const joined = (network: JsonObject) =>
    containers.some((each) => at(each, 'NetworkSettings', 'Networks', text(network.Name)) !== undefined);
  return networks
    .filter((network) => !isOwn(text(network.Name)) && !joined(network))
    .map((each) => ({ object: 'network', id: text(each.Id), name: text(each.Name), bytes: 0, was: text(each.Driver) }));
}

async function goes(host: OnHost, what: Exclude<What, 'cache'>, signal: AbortSignal): Promise<Goes[]> {
  if (what === 'networks') return await networksOf(host, signal);
  const usage = await usageOf(host, signal);
  switch (what) {
    case 'containers':
      return containersOf(usage);
    case 'images':
      return imagesOf(usage, false);
    case 'all-images':
      return imagesOf(usage, true);
    case 'volumes':
      return volumesOf(usage);
    default:
      return what satisfies never;
  }
}

async function cacheDraft(host: OnHost, signal: AbortSignal) {
  const idle = list(at(await usageOf(host, signal), 'BuildCache')).filter(({ InUse: busy }) => busy !== true);
  const bytes = idle.reduce((sum, each) => sum + (each.Shared === true ? 0 : number(each.Size)), 0);
  const ids = idle.map(({ ID: id }) => text(id)).sort();
  const calls: DockerCall[] = idle.length === 0 ? [] : [{ kind: 'prune-cache', ids }];
  const from = `${idle.length} records, ${bytesText(bytes)}`;
  return {
    summary: `frees about ${bytesText(bytes)} on ${host.name}`,
    changes: idle.length === 0 ? [] : [{ path: 'build cache', from, to: 'deleted' }],
    docker: { host: host.name, calls },
    takesOver: [],
  };
}

export const dockerPrune = defineOperation({
  name: 'docker-prune',
  summary: 'Clear a Docker host of what nobody uses; shows first what goes and what that frees',
  effect: 'change',
  input: z.strictObject({ what: What, host: HostRef.optional() }),
  usage: '<what> [on <host>]',
  examples: ['containers on build', 'images on build', 'cache on build'],
  routes: [
    route({
      method: 'POST',
      path: '/docker/hosts/:host/prune',
      summary: 'Clear a Docker host of what nobody uses',
      request: z.object({ host: HostRef, what: What }),
      input: (request) => request,
    }),
  ],
  needs: ['dockerHost'],
  steps: callSteps,
  limits: { steps: { do: 15 * 60_000 } },
  target: () => ({}),
  plan: async (context, { what, host: asked }) => {
    const host = hostOf(context, asked);
    if (what === 'cache') return await cacheDraft(host, context.signal);
    const found = await goes(host, what, context.signal);
    const bytes = found.reduce((sum, each) => sum + each.bytes, 0);
    return {
      summary: `frees about ${bytesText(bytes)} on ${host.name}: ${found.length} ${what.replace('-', ' ')}`,
      changes: found.map(({ object, name, was }) => ({ path: `${object}/${name}`, from: was, to: 'deleted' })),
      // Just these, one by one: what came since, or is used again, stays.
      docker: {
        host: host.name,
        calls: found.map(({ object, id, name, identity }) => ({
          kind: 'remove',
          object,
          id,
          name,
          was: identity,
          force: false,
          volumes: false,
        })),
      },
      takesOver: [],
    };
  },
  run: doCalls,
});
