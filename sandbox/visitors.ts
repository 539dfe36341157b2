import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { Mesh } from '../testbed/mesh/mesh.ts';
import type { BesideCluster, Testbed } from '../testbed/testbed.ts';

/** An analysis wants about a thousand requests of a canary before it is sure: with these, hardly longer than its bakes take. */
const perSecond = 120;

const objects = (port: number) => {
  const inProduction = (kind: string, apiVersion: string, name: string, spec: object) => ({
    apiVersion,
    kind,
    metadata: { name, namespace: 'production' },
    spec,
  });
  const networking = 'networking.istio.io/v1';
  const server = { port: { number: port, name: 'http', protocol: 'HTTP' }, hosts: ['*'] };
  const route = { name: 'all', route: [{ destination: { host: 'web' } }] };
  const selector = { 'app.kubernetes.io/name': 'web' };
  return [
    inProduction('Service', 'v1', 'web', { selector, ports: [{ name: 'http', port: 80, targetPort: 8080 }] }),
    inProduction('Gateway', networking, 'web', { selector: { istio: 'gw' }, servers: [server] }),
    inProduction('VirtualService', networking, 'web', { hosts: ['*'], gateways: ['web'], http: [route] }),
  ];
};

/** Times in ms. */
type Clock = { now(): number; sleep(ms: number): Promise<unknown> };

/**
 * Visits so many times a second: where the machine is busy and a visit comes late, the next make up for it, or an analysis would wait for
 * ever for its requests. After a long stall only half a second's visits come at once.
 */
export async function keepPace(
  pace: number,
  going: () => boolean,
  visit: () => void,
  clock: Clock = { now: () => performance.now(), sleep },
): Promise<void> {
  let due = 0;
  for (let before = clock.now(); going(); ) {
    const now = clock.now();
    due = Math.min(due + ((now - before) / 1_000) * pace, pace / 2);
    before = now;
    for (; due >= 1; due--) visit();
    await clock.sleep(1_000 / pace);
  }
}

/** Opens production to the gateway, and lets visitors come for as long as the sandbox is there. */
export async function openToVisitors(
  { kubernetes }: Testbed | BesideCluster,
  { gateway }: Mesh,
): Promise<{ stop(): Promise<void> }> {
  const manifests = objects(gateway.port).map((object) => JSON.stringify(object));
  await kubernetes.kubectl(['apply', '-f', '-'], manifests.join('\n---\n'));
  const agent = new Agent({ connections: 8 });
  let going = true;
  const visit = async () => {
    const { body } = await request(gateway.url, { dispatcher: agent, headersTimeout: 5_000 });
    await body.dump();
  };
  const loop = keepPace(
    perSecond,
    () => going,
    () => void visit().catch(() => {}),
  );
  return {
    stop: async () => {
      going = false;
      await loop;
      await agent.destroy();
    },
  };
}
