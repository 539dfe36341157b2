import { afterAll, beforeAll, expect, test } from 'vitest';
import { bed } from '../../support/bed.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
beforeAll(async () => {
  desk = await realDesk();
});
afterAll(() => desk.end());

test('nodes say how they are and how full', async () => {
  const container = (name: string, cpu: string) => ({
    name,
    image: bed.busybox,
    args: ['sleep', '3600'],
    resources: { requests: { cpu, memory: '32Mi' } },
  });
  const spec = { containers: [container('a', '150m'), container('b', '100m')], terminationGracePeriodSeconds: 0 };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'asks', namespace: desk.namespaces.staging }, spec };
  await kubectl(['apply', '-f', '-'], JSON.stringify(pod));
  await kubectl(['wait', '--for=condition=Ready', 'pod/asks', '-n', desk.namespaces.staging, '--timeout=60s']);

  const { state, report } = await desk.done('nodes', { env: 'staging' });
  if (report?.kind !== 'table') throw new Error(`no table but ${state}`);
  const [name, ready, version, pods, cpu, memory] = report.rows[0] ?? [];
  const node = JSON.parse(await kubectl(['get', 'node', '127.0.0.1', '-o', 'json']));
  expect([name, ready, version]).toEqual(['127.0.0.1', 'ready', node.status.nodeInfo.kubeletVersion]);
  expect(pods).toMatch(new RegExp(`^\\d+ of ${node.status.allocatable.pods}$`));
  // Other tests may have pods of their own on the node.
  expect(cpu).toMatch(
    new RegExp(`^[▓░]{10} \\d+ % \\((250m|\\d\\.?\\d*|[3-9]\\d\\dm|\\d{4}m) of ${node.status.allocatable.cpu}\\)$`),
  );
  expect(memory).toMatch(/^[▓░]{10} \d+ % \(.*Mi of .*Gi\)$/);
});
