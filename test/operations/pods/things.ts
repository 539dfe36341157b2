import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../../src/core/json.ts';
import { bed } from '../../support/bed.ts';
import { kubectl } from '../../support/kubectl.ts';

/** A container that runs a shell script of busybox. */
export const says = (name: string, script: string, more: JsonObject = {}): JsonObject => ({
  name,
  image: bed.busybox,
  args: ['sh', '-c', script],
  ...more,
});

const podSpec = (containers: JsonObject[], more: JsonObject = {}): JsonObject => ({
  terminationGracePeriodSeconds: 0,
  containers,
  ...more,
});

export const pod = (name: string, containers: JsonObject[], more: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: podSpec(containers, more),
});

export const deployment = (name: string, containers: JsonObject[], replicas = 1): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: podSpec(containers) },
  },
});

export const statefulSet = (name: string, containers: JsonObject[]): JsonObject => ({
  ...deployment(name, containers),
  kind: 'StatefulSet',
});

export const make = (namespace: string, ...objects: JsonObject[]): Promise<string> =>
  kubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));

/** Asks again until it is so. */
export async function until<Value>(what: string, ask: () => Promise<Value>, isSo: (value: Value) => boolean) {
  const end = Date.now() + 45_000;
  for (;;) {
    const value = await ask();
    if (isSo(value)) return value;
    if (Date.now() > end) throw new Error(`not so in time: ${what}; it is ${JSON.stringify(value).slice(0, 2_000)}`);
    await sleep(300);
  }
}

export const podNames = async (namespace: string, app: string): Promise<string[]> =>
  (await kubectl(['get', 'pods', '-n', namespace, '-l', `app=${app}`, '-o', 'name']))
    .trim()
    .split('\n')
    .map((line) => line.replace('pod/', ''));

export const ready = (namespace: string, ...what: string[]): Promise<string> =>
  kubectl(['wait', '-n', namespace, '--for=condition=Ready', '--timeout=50s', 'pod', ...what]);
