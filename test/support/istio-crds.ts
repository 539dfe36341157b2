import { join } from 'node:path';
import { moduleFolder } from '../../testbed/compile.ts';
import { kubectl } from './kubectl.ts';

/** Istio's kinds, without anything that acts on them: the API server then checks objects as their definitions say. */
export async function installIstioKinds(): Promise<void> {
  const istio = await moduleFolder('istiod', 'istio.io/istio');
  const file = join(istio, 'manifests/charts/base/files/crd-all.gen.yaml');
  await kubectl(['apply', '--server-side', '--force-conflicts', '-f', file]);
  await kubectl(['wait', '--for=condition=Established', 'crd', '-l', 'chart=istio', '--timeout=30s']).catch(() => {});
  const names = ['virtualservices.networking', 'destinationrules.networking', 'telemetries.telemetry'];
  await kubectl([
    'wait',
    '--for=condition=Established',
    ...names.map((name) => `crd/${name}.istio.io`),
    '--timeout=30s',
  ]);
}
