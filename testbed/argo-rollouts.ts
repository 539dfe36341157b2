import { join } from 'node:path';
import { compiled, moduleFolder } from './compile.ts';
import type { Launch } from './launch.ts';

const crds = ['rollout', 'analysis-run', 'analysis-template', 'cluster-analysis-template', 'experiment'];

type Around = {
  kubeconfig: string;
  kubectl: (args: string[]) => Promise<unknown>;
  /** A bed's own, or a test file's. */
  launch: Launch;
  port: () => Promise<number>;
  log: (line: string) => void;
};

/** The real controller of Argo Rollouts beside the cluster, with its own definitions: Rollouts go their way as anywhere. */
export async function startRollouts({ kubeconfig, kubectl, launch, port, log }: Around) {
  const program = join(await compiled('rollouts', log), 'rollouts');
  const dir = join(await moduleFolder('rollouts', 'github.com/argoproj/argo-rollouts'), 'manifests/crds');
  const files = crds.flatMap((name) => ['-f', join(dir, `${name}-crd.yaml`)]);
  await kubectl(['apply', '--server-side', '--force-conflicts', ...files]);
  await kubectl(['wait', '--for=condition=Established', 'crd/rollouts.argoproj.io', '--timeout=20s']);
  const [healthz, metrics] = await Promise.all([port(), port()]);
  const args = [
    `--kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    `--healthzPort=${healthz}`,
    `--metricsPort=${metrics}`,
    '--loglevel=warn',
  ];
  const ready = async () =>
    (await fetch(`http://127.0.0.1:${healthz}/healthz`, { signal: AbortSignal.timeout(1_000) })).ok;
  return await launch('argo-rollouts', program, args, { ready });
}
