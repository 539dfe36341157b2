import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRollouts } from '../../testbed/argo-rollouts.ts';
import type { Launch } from '../../testbed/launch.ts';
import { tethered } from '../../testbed/tether.ts';
import { bed } from './bed.ts';
import { kubectl } from './kubectl.ts';
import { freePort } from './redis.ts';

/** Starts a program that ends with the test file. */
const launch: Launch = async (name, program, args, { ready, env }) => {
  const begin = async () => {
    const out = openSync(join(bed.dir, 'logs', `${name}.log`), 'a');
    const child = spawn(...tethered(program, args), { stdio: ['ignore', out, out], env: { ...process.env, ...env } });
    for (const end = Date.now() + 30_000; !(await ready(child.pid ?? 0).catch(() => false)); await sleep(50))
      if (child.exitCode !== null || Date.now() > end) throw new Error(`${name} did not start; its log is in the bed`);
    return child;
  };
  let child = await begin();
  return {
    pid: () => child.pid ?? 0,
    kill: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    start: async () => {
      child = await begin();
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  };
};

/** Argo Rollouts' own controller over the bed's cluster, until it is killed. */
export const rolloutsForFile = () =>
  startRollouts({ kubeconfig: bed.kubeconfig, kubectl, launch, port: freePort, log: console.log });
