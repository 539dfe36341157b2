import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { z } from 'zod';
import type { JsonObject } from '../src/core/json.ts';
import type { Ground } from './ground.ts';

const Kubeconfig = z.object({
  clusters: z.array(z.object({ cluster: z.object({ server: z.string(), 'certificate-authority-data': z.string() }) })),
  users: z.array(z.object({ user: z.object({ token: z.string() }) })),
});

export type Access = { server: string; ca: string; token: string };

/** How to reach the bed's API server with undici alone. */
export async function accessOf(kubeconfig: string): Promise<Access> {
  const { clusters, users } = Kubeconfig.parse(JSON.parse(await readFile(kubeconfig, 'utf8')));
  const [entry] = clusters;
  const ca = Buffer.from(entry?.cluster['certificate-authority-data'] ?? '', 'base64').toString();
  return { server: entry?.cluster.server ?? '', ca, token: users[0]?.user.token ?? '' };
}

/** Creates many objects at once, below `path`. */
export async function createMany({ server, ca, token }: Access, path: string, objects: JsonObject[]): Promise<void> {
  const dispatcher = new Agent({ connect: { ca }, connections: 16 });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const left = [...objects];
  const work = async () => {
    for (let object = left.pop(); object; object = left.pop()) {
      const { statusCode, body } = await request(`${server}${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(object),
        dispatcher,
      });
      await body.dump();
      if (statusCode !== 201) throw new Error(`HTTP ${statusCode}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
  await dispatcher.close();
}

/** What a process has used: seconds of CPU, and its share of memory in MB, where pages that many share count in parts. */
export async function usedBy(pid: number): Promise<{ cpu: number; mb: number }> {
  const [stat, maps] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/smaps_rollup`, 'utf8'),
  ]);
  // Fields 14 and 15 in hundredths of a second, counted behind the name in brackets, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    cpu: (Number(fields[11]) + Number(fields[12])) / 100,
    mb: Number(/^Pss:\s+(\d+) kB/m.exec(maps)?.[1]) / 1_024,
  };
}

/** Starts `cluster-worker.ts` and waits for what it found. */
export async function clusterWorker(ground: Pick<Ground, 'bed'>, env: Record<string, string>) {
  const file = new URL('./cluster-worker.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, ['--expose-gc', file], {
    // As the image has it: what was compiled once is not compiled at the next start.
    env: {
      PATH: process.env.PATH ?? '',
      NODE_COMPILE_CACHE: join(tmpdir(), 'shipmate-compiled'),
      KUBECONFIG: ground.bed.kubernetes.kubeconfig,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  for await (const chunk of child.stdout) {
    said += String(chunk);
    if (said.includes('\n')) break;
  }
  const found: unknown = JSON.parse(said.replace(/^ready /, ''));
  return {
    found,
    pid: child.pid ?? 0,
    stop: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** A pod as a cluster has thousands: two containers, probes, variables and a volume; nobody ever starts it. */
export const pod = (name: string, namespace: string): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace,
    labels: { app: 'web', 'app.kubernetes.io/name': 'web', 'pod-template-hash': '6d4cf56db6', tier: 'front' },
    annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' },
  },
  spec: {
    schedulerName: 'nobody',
    volumes: [{ name: 'config', configMap: { name: 'web' } }],
    containers: ['web', 'sidecar'].map((container) => ({
      name: container,
      image: `registry.example.com/team/${container}:v1.2.3`,
      ports: [{ containerPort: 8080 }],
      env: Array.from({ length: 8 }, (_, n) => ({ name: `VARIABLE_${n}`, value: `the value number ${n}` })),
      resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
      readinessProbe: { httpGet: { path: '/healthz', port: 8080 } },
      volumeMounts: [{ name: 'config', mountPath: '/etc/web' }],
    })),
  },
});
