import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { createPrometheus } from '../src/clients/prometheus/prometheus.ts';
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

/** How visits end: `HTTP 200`, or what went wrong. */
export type Ends = {
  note(end: string): void;
  /** How the last one ended. */
  last(): string;
};

/** What the gateway answers by itself, where it knows no way or nobody is there. A version that answers with an error is there. */
const unanswered = ['HTTP 404', 'HTTP 503'];

/** Says so when no visit has reached the app for as long, and when one does again. */
export function createEnds(log: (line: string) => void, patienceMs = 5_000, now = () => performance.now()): Ends {
  let [last, since, told] = ['no visit yet', now(), false];
  return {
    last: () => last,
    note: (end) => {
      last = end;
      if (end.startsWith('HTTP') && !unanswered.includes(end)) {
        if (told) log('Visitors reach production again');
        [since, told] = [now(), false];
      } else if (!told && now() - since > patienceMs) {
        told = true;
        log(`No visitor reaches production: ${end}`);
      }
    },
  };
}

const patienceMs = 30_000;
const counted = 'sum(envoy_cluster_upstream_rq{envoy_cluster_name=~"outbound.*web[.]production[.].*"})';

/**
 * Waits until visits are counted: from then on a canary can be judged.
 * @throws Error with what was seen last
 */
async function untilCounted({ prometheus }: Mesh, ends: Ends): Promise<void> {
  const { query } = createPrometheus(prometheus.url);
  const tooLate = AbortSignal.timeout(patienceMs);
  let seen = 'nothing';
  while (!tooLate.aborted) {
    const samples = await query(counted, { timeoutMs: 2_000 }, tooLate).catch((thrown: unknown) => String(thrown));
    if (typeof samples !== 'string' && samples.some(({ value }) => value > 0)) return;
    seen = typeof samples === 'string' ? samples : `${samples.length} series`;
    await sleep(200);
  }
  throw new Error(
    `Prometheus counted no visitor of production within ${patienceMs / 1_000} s: it answered with ${seen}; the last visit: ${ends.last()}`,
  );
}

/** Opens production to the gateway, and lets visitors come for as long as the sandbox is there. */
export async function openToVisitors(
  { kubernetes }: Testbed | BesideCluster,
  mesh: Mesh,
  log: (line: string) => void,
): Promise<{ stop(): Promise<void> }> {
  const { gateway } = mesh;
  const manifests = objects(gateway.port).map((object) => JSON.stringify(object));
  await kubernetes.kubectl(['apply', '-f', '-'], manifests.join('\n---\n'));
  const agent = new Agent({ connections: 8 });
  let going = true;
  const ends = createEnds(log);
  const visit = async () => {
    const { body, statusCode } = await request(gateway.url, {
      dispatcher: agent,
      headersTimeout: 5_000,
      bodyTimeout: 5_000,
    });
    await body.dump();
    ends.note(`HTTP ${statusCode}`);
  };
  const loop = keepPace(
    perSecond,
    () => going,
    () => void visit().catch((thrown: unknown) => going && ends.note(String(thrown))),
  );
  const stop = async () => {
    going = false;
    await loop;
    await agent.destroy();
  };
  try {
    await untilCounted(mesh, ends);
  } catch (problem) {
    await stop();
    throw problem;
  }
  return { stop };
}
