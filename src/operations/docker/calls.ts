import type { DockerCall, DockerKind } from '../../core/docker-host.ts';
import { Fault, fault } from '../../core/errors.ts';
import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import type { RunContext, StepContext } from '../../core/operation.ts';
import type { Report } from '../../core/report.ts';
import { checkSame, imageId, plannedImage, pullPlanned } from './as-planned.ts';
import { find } from './find.ts';
import { hostOf, type OnHost } from './host.ts';
import { labelOf } from './reading.ts';

/** Borne by what Shipmate makes, with the run that made it. */
export const runLabel = 'shipmate.dev/run';

const creation: Record<DockerKind, string[]> = {
  container: ['containers', 'create'],
  network: ['networks', 'create'],
  volume: ['volumes', 'create'],
  image: [],
};
const plural: Record<DockerKind, string> = {
  container: 'containers',
  network: 'networks',
  volume: 'volumes',
  image: 'images',
};

export function callText(call: DockerCall): string {
  switch (call.kind) {
    case 'pull':
      return `image/${call.image}`;
    case 'create':
    case 'remove':
      return `${call.object}/${call.name}`;
    case 'act':
      return `container/${call.name}`;
    case 'prune-cache':
      return 'build cache';
    default:
      return call satisfies never;
  }
}

type Create = DockerCall & { kind: 'create' };

/** @throws Fault ANOTHER_BY_NOW where a name in what is sent means something else than when it was planned */
async function checkNames(host: OnHost, { body, image, network }: Create, signal: AbortSignal): Promise<void> {
  if (image !== undefined) await plannedImage(host, { image, name: text(body.Image) }, signal);
  const name = text(at(body, 'HostConfig', 'NetworkMode'));
  await checkSame(host, { object: 'network', name, id: name, was: network }, signal);
}

/** The name may have been moved between the look and the creation: a container of another image is never started, and goes. */
async function checkMade(
  host: OnHost,
  { object, body, image }: Create,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  if (object !== 'container' || image === undefined) return;
  const [made, planned] = await Promise.all([find(host, 'container', id, signal), imageId(host, image, signal)]);
  if (!made || text(made.Image) === planned) return;
  await host.client.send({ method: 'DELETE', path: ['containers', id] }, { conflict: true }, signal);
  throw fault('ANOTHER_BY_NOW', { kind: 'image', name: text(body.Image) });
}

/** The ids of what this run has made, by their names: somebody else may take a name at any time. */
type Made = Map<string, string>;

async function create(host: OnHost, run: string, call: Create, ids: Made, signal: AbortSignal) {
  const { object, name, body } = call;
  const made: JsonObject = { ...body, Labels: { ...labelOf(body, 'Labels'), [runLabel]: run } };
  const path = creation[object];
  // Docker makes two networks of one name without a word, and gives back a volume that is there already.
  const live = await find(host, object, name, signal);
  const label = at(live, ...(object === 'container' ? ['Config', 'Labels'] : ['Labels']), runLabel);
  if (live && label !== run) throw fault('OBJECT_EXISTS', { kind: object, name, where: host.name });
  if (live) {
    await checkMade(host, call, text(live.Id), signal);
    ids.set(name, text(live.Id));
    return `${callText(call)}: made already`;
  }
  await checkNames(host, call, signal);
  const query: Record<string, string> = object === 'container' ? { name } : {};
  const named = object === 'container' ? made : { ...made, Name: name };
  const answer = await host.client.send({ method: 'POST', path, query, body: named }, { conflict: false }, signal);
  if (answer.status === 404) throw fault('DOCKER_HOST_REFUSED', { host: host.name, problem: answer.message });
  const id = text(at(answer.body, 'Id'));
  await checkMade(host, call, id, signal);
  ids.set(name, id);
  return `${callText(call)}: created`;
}

const done = { start: 'started', stop: 'stopped', restart: 'restarted' };

async function act(host: OnHost, call: DockerCall & { kind: 'act' }, ids: Made, signal: AbortSignal): Promise<string> {
  const { action, name, seconds, startedAt } = call;
  const id = call.id ?? ids.get(name) ?? '';
  const live = id === '' ? undefined : await find(host, 'container', id, signal);
  if (!live || live.Id !== id)
    throw fault('NO_SUCH_OBJECT', {
      kind: 'container',
      name,
      where: host.name,
      near: ' It was there when this was planned.',
    });
  // Of a restart that was done and not noted: it began later than when this was planned.
  if (action === 'restart' && startedAt !== undefined && at(live, 'State', 'StartedAt') !== startedAt)
    return `${callText(call)}: restarted already`;
  const query: Record<string, string> = seconds === undefined ? {} : { t: String(seconds) };
  const path = ['containers', id, action];
  const { status, message } = await host.client.send(
    { method: 'POST', path, query, seconds: 30 + (seconds ?? 10) },
    { conflict: false },
    signal,
  );
  if (status === 404) throw fault('DOCKER_HOST_REFUSED', { host: host.name, problem: message });
  return `${callText(call)}: ${status === 304 ? `was ${done[action]} already` : done[action]}`;
}

async function remove(host: OnHost, call: DockerCall & { kind: 'remove' }, signal: AbortSignal): Promise<string> {
  const { object, id, force, volumes } = call;
  await checkSame(host, call, signal);
  const query: Record<string, string> = { ...(force && { force: '1' }), ...(volumes && { v: '1' }) };
  const path = [plural[object], id];
  const { status, message } = await host.client.send(
    { method: 'DELETE', path, query, seconds: 60 },
    { conflict: true },
    signal,
  );
  if (status === 409) throw fault('DOCKER_HOST_REFUSED', { host: host.name, problem: message });
  return `${callText(call)}: ${status === 404 ? 'was gone already' : 'deleted'}`;
}

/** Does one call; doing it again does nothing more. */
async function doCall(
  host: OnHost,
  run: string,
  call: DockerCall,
  ids: Made,
  { signal, note }: StepContext,
): Promise<string> {
  switch (call.kind) {
    case 'pull':
      note(`pulling ${call.image}`);
      await pullPlanned(host, call, note, signal);
      return `${callText(call)}: pulled`;
    case 'create':
      return await create(host, run, call, ids, signal);
    case 'act':
      return await act(host, call, ids, signal);
    case 'remove':
      return await remove(host, call, signal);
    case 'prune-cache': {
      const { ids } = call;
      // BuildKit takes one pattern for the ids, and as many ids in it as one likes.
      const filters = ids && { filters: JSON.stringify({ id: [`/^(${ids.join('|')})$/`] }) };
      const query: Record<string, string> = { all: '1', ...filters };
      const request = { method: 'POST' as const, path: ['build', 'prune'], query, seconds: 600 };
      const { body } = await host.client.send(request, { conflict: false }, signal);
      return `build cache: ${isObject(body) ? (Array.isArray(body.CachesDeleted) ? body.CachesDeleted.length : 0) : 0} records deleted`;
    }
    default:
      return call satisfies never;
  }
}

export const callSteps = ['do'] as const;

/**
 * Does the plan's calls one after the other.
 * @throws Fault PARTLY_APPLIED, which says exactly what was done, where one fails after others were done
 */
export async function doCalls(run: RunContext<'dockerHost', 'do'>): Promise<Report> {
  const { host: name, calls = [] } = run.plan.docker ?? {};
  const host = hostOf(run, name);
  const objects = await run.step('do', async (step) => {
    const finished: string[] = [];
    const ids: Made = new Map();
    for (const call of calls) {
      try {
        step.log(await doCall(host, run.id, call, ids, step));
      } catch (thrown) {
        if (!(thrown instanceof Fault) || finished.length === 0 || thrown.retry === 'later') throw thrown;
        const left = calls.slice(finished.length).map(callText).join(', ');
        throw fault('PARTLY_APPLIED', { done: finished.join(', '), left, problem: thrown.message }, thrown);
      }
      finished.push(callText(call));
    }
    return finished;
  });
  return { kind: 'changed', objects: [...new Set(objects)] };
}
