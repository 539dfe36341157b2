import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { accessOf, clusterWorker, createMany, usedBy } from './cluster-ground.ts';
import type { Figure } from './figures.ts';
import type { Ground } from './ground.ts';

const rollouts = 300;
const namespace = 'fleet';
/** How long all of them are followed once each is. */
const followedMs = 10_000;

const Counted = z.object({ requests: z.number(), connections: z.number() });

/** Rollouts that do not end: their pods find no node. */
const deployment = (n: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  // Marked as Shipmate marks what it applies.
  metadata: { name: `fleet-${n}`, namespace, annotations: { 'shipmate.dev/run': 'bench' } },
  spec: {
    replicas: 1,
    progressDeadlineSeconds: 3_600,
    selector: { matchLabels: { app: `fleet-${n}` } },
    template: {
      metadata: { labels: { app: `fleet-${n}` } },
      spec: { schedulerName: 'nobody', containers: [{ name: 'web', image: 'none' }] },
    },
  },
});

async function sum(pids: number[]): Promise<{ cpu: number; mb: number }> {
  const all = await Promise.all(pids.map(usedBy));
  return { cpu: all.reduce((total, { cpu }) => total + cpu, 0), mb: all.reduce((total, { mb }) => total + mb, 0) };
}

/** As many `kubectl rollout status`, begun a few at a time, since so many at once would only wait for one another. */
async function kubectls({ bed }: Pick<Ground, 'bed'>): Promise<ChildProcess[]> {
  const { kubectlPath, kubeconfig } = bed.kubernetes;
  const started: ChildProcess[] = [];
  for (let n = 0; n < rollouts; n++) {
    const words = ['--kubeconfig', kubeconfig, 'rollout', 'status', `deployment/fleet-${n}`, '-n', namespace];
    started.push(spawn(kubectlPath, [...words, '--timeout=10m'], { stdio: 'ignore' }));
    if (n % 10 === 9) await sleep(1_500);
  }
  await sleep(5_000);
  return started;
}

/**
 * 300 rollouts followed at once by one process against as many `kubectl rollout status`, whole processes with their
 * start: seconds of CPU, memory (each page divided by those who share it), and requests.
 */
export async function watchFleet(ground: Pick<Ground, 'bed'>): Promise<Figure[]> {
  const access = await accessOf(ground.bed.kubernetes.kubeconfig);
  await ground.bed.kubernetes.kubectl(['create', 'namespace', namespace]);
  const all = Array.from({ length: rollouts }, (_, n) => deployment(n));
  await createMany(access, `/apis/apps/v1/namespaces/${namespace}/deployments`, all);
  await sleep(10_000); // until the controller has made the pods of all
  const env = { WHAT: 'fleet', NAMESPACE: namespace, COUNT: String(rollouts) };
  const worker = await clusterWorker(ground, env);
  await sleep(followedMs);
  const ours = await sum([worker.pid]);
  const { requests } = Counted.parse(worker.found);
  await worker.stop();

  const others = await kubectls(ground);
  await sleep(followedMs);
  const theirs = await sum(others.map(({ pid }) => pid ?? 0));
  await Promise.all(
    others.map(async (child) => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }),
  );
  return [
    { name: 'watch-fleet cpu', ours: ours.cpu, floor: theirs.cpu, unit: 's of CPU for 300 rollouts', limit: 1 / 30 },
    { name: 'watch-fleet memory', ours: ours.mb, floor: theirs.mb, unit: 'MB for 300 rollouts', limit: 1 / 30 },
    { name: 'watch-fleet requests', ours: requests, floor: rollouts, unit: 'API requests a rollout', limit: 3 },
  ];
}
