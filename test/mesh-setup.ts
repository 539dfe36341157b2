import type { TestProject } from 'vitest/node';
import { startMesh } from '../testbed/mesh/mesh.ts';
import { ensurePackages } from '../testbed/packages.ts';
import { setUp } from '../testbed/setup.ts';
import { startTestbed } from '../testbed/testbed.ts';
import { log, provideBed } from './global-setup.ts';
import type { MeshAddress } from './support/mesh-address.ts';

/** One bed with a mesh for all test files of the project. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await setUp(log);
  await ensurePackages(['mesh'], log);
  const bed = await startTestbed({ log });
  try {
    const mesh = await startMesh(bed, log);
    const pod = { name: 'web-0', ip: '127.0.0.9', namespace: 'guarded', labels: { app: 'web' } };
    const sidecar = await mesh.proxy({ ...pod, type: 'sidecar' });
    const labels = { app: 'shop-canary', 'shipmate.dev/track': 'canary' };
    const beside = await mesh.proxy({
      name: 'shop-canary-0',
      ip: '127.0.0.10',
      namespace: 'guarded-shop',
      labels,
      type: 'sidecar',
    });
    const tags = ['v1', 'v2', 'v3', 'v4', 'v5'];
    await Promise.all([provideBed(project, bed), ...tags.map((tag) => mesh.pushShop(tag))]);
    const address: MeshAddress = {
      gatewayPort: mesh.gateway.port,
      gatewayUrl: mesh.gateway.url,
      gatewayAdmin: mesh.gateway.admin,
      sidecarAdmin: sidecar.admin,
      canaryAdmin: beside.admin,
      prometheusUrl: mesh.prometheus.url,
      pids: { istiod: mesh.istiod.pid(), envoy: mesh.gateway.pid(), prometheus: mesh.prometheus.pid() },
    };
    project.provide('mesh', address);
    return bed.stop;
  } catch (problem) {
    await bed.stop();
    throw problem;
  }
}
