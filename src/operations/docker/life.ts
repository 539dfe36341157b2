import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { DockerCall } from '../../core/docker-host.ts';
import { fault } from '../../core/errors.ts';
import { at, type Json, text } from '../../core/json.ts';
import { defineOperation, type Operation, type RunContext, route } from '../../core/operation.ts';
import { doCalls } from './calls.ts';
import { find, findOrSay } from './find.ts';
import { DockerName, HostRef, hostOf, type OnHost } from './host.ts';
import { number } from './reading.ts';

const Input = z.strictObject({
  name: DockerName.describe('The container'),
  host: HostRef.optional(),
  seconds: z.number().int().min(0).max(300).optional().describe('So long it may take to stop by itself'),
});
type Input = z.output<typeof Input>;
type Action = 'start' | 'stop' | 'restart';

const steadyMs = 1_500;
const healthyMs = 90_000;
const lookMs = 250;

type Look = 'well' | 'wait' | { problem: string };

/** What a container that was started is now. A policy that starts it again and again does not make it well. */
function judge(state: Json | undefined, restarts: number, ms: number): Look {
  const health = text(at(state, 'Health', 'Status'));
  const code = number(at(state, 'ExitCode'));
  if (at(state, 'Restarting') === true || restarts > 0) return { problem: `ends again and again (exit code ${code}).` };
  if (at(state, 'Running') !== true) {
    const memory = at(state, 'OOMKilled') === true ? ', out of memory' : '';
    // One that had something to do and did it is well.
    return code === 0 ? 'well' : { problem: `ended at once with exit code ${code}${memory}.` };
  }
  if (health === 'healthy') return 'well';
  if (health === 'unhealthy') return { problem: 'is not healthy, says its health check.' };
  if (health === 'starting')
    return ms < healthyMs ? 'wait' : { problem: `was not healthy after ${healthyMs / 1_000} s.` };
  return ms < steadyMs ? 'wait' : 'well';
}

/** Looks whether what was started stays up, and waits for its health check where it has one. */
export async function settle(run: RunContext<'dockerHost', 'settle'>, host: OnHost, name: string): Promise<void> {
  await run.step('settle', async ({ signal, note }) => {
    const from = run.now();
    const before = number((await find(host, 'container', name, signal))?.RestartCount);
    for (;;) {
      const live = await find(host, 'container', name, signal);
      if (!live) throw fault('CONTAINER_DIED', { name, host: host.name, problem: 'is gone already.' });
      const look = judge(live.State, number(live.RestartCount) - before, run.now() - from);
      if (look === 'well') return;
      if (look !== 'wait') throw fault('CONTAINER_DIED', { name, host: host.name, problem: look.problem });
      note(text(at(live, 'State', 'Health', 'Status')) || text(at(live, 'State', 'Status')));
      await sleep(lookMs, undefined, { signal });
    }
  });
}

const words: Record<Action, { summary: string; to: string; undo?: string }> = {
  start: { summary: 'Start a container that is stopped, and see that it stays up', to: 'running', undo: 'docker-stop' },
  stop: { summary: 'Stop a container', to: 'stopped', undo: 'docker-start' },
  restart: { summary: 'Restart a container, and see that it stays up', to: 'restarted' },
};

function lifeOf(action: Action): Operation {
  const { summary, to, undo } = words[action];
  return defineOperation({
    name: `docker-${action}`,
    summary,
    effect: 'change',
    input: Input,
    usage: '<name> [on <host>] [seconds=<seconds>]',
    examples: [action === 'start' ? 'job on build' : 'web on build'],
    routes: [
      route({
        method: 'POST',
        path: `/docker/hosts/:host/containers/:name/${action}`,
        summary,
        request: z.object({ host: HostRef, name: DockerName, seconds: Input.shape.seconds }),
        input: (request) => request,
      }),
    ],
    needs: ['dockerHost'],
    steps: ['do', 'settle'],
    limits: { steps: { do: 6 * 60_000, settle: 2 * 60_000 } },
    target: () => ({}),
    plan: async (context, { name, host: asked, seconds }) => {
      const host = hostOf(context, asked);
      const live = await findOrSay(host, 'container', name, context.signal);
      const state = text(at(live, 'State', 'Status'));
      const there =
        action === 'start'
          ? state === 'running'
          : action === 'stop' && state !== 'running' && state !== 'paused' && state !== 'restarting';
      const call: DockerCall = {
        kind: 'act',
        action,
        id: text(live.Id),
        name,
        ...(seconds !== undefined && action !== 'start' && { seconds }),
        ...(action === 'restart' && { startedAt: text(at(live, 'State', 'StartedAt')) }),
      };
      return {
        summary: there ? `${name} on ${host.name} is ${state} already` : `${name} on ${host.name}: ${state} → ${to}`,
        changes: there ? [] : [{ path: `container/${name} state`, from: state, to }],
        docker: { host: host.name, calls: there ? [] : [call] },
        takesOver: [],
        ...(undo && !there && { undo: { operation: undo, input: { name, host: host.name } } }),
      };
    },
    run: async (run, { name }: Input) => {
      const report = await doCalls(run);
      if (action !== 'stop') await settle(run, hostOf(run, run.plan.docker?.host), name);
      return report;
    },
  });
}

export const dockerStart = lifeOf('start');
export const dockerStop = lifeOf('stop');
export const dockerRestart = lifeOf('restart');
