import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compiled, moduleFolder } from '../compile.ts';
import type { Part } from '../launch.ts';
import { portOpen } from '../ports.ts';
import type { Testbed } from '../testbed.ts';
import { type Envoy, type MeshProxy, startEnvoy } from './envoy.ts';
import { applySharedGateway, keepOnLoopback } from './gateway-api.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';

export type Mesh = {
  istiod: Part;
  /**
   * The ingress gateway: the proxy of Istio Gateways with the selector `istio: gw`, which it opens on `port`, and of the
   * Gateway API's Gateway `gw` in `istio-system`, which is there already on that port.
   */
  gateway: Envoy & { port: number; url: string };
  prometheus: Prometheus;
  /** One more proxy: another gateway, or a sidecar that stands for a pod. Prometheus asks it too. */
  proxy(proxy: MeshProxy): Promise<Envoy>;
  /** The example app as `HOST/shop:TAG`: v1 and v2 are well, v3 does not start, v4 fails 7 % of requests, v5 is slow. */
  pushShop(tag: string, as?: string): Promise<string>;
};

const namespace = 'istio-system';

/** Istio's CRDs, and the Gateway API's; the same files that Istio is released with. */
async function applyCrds({ kubernetes }: Testbed): Promise<void> {
  const [istio, gateway] = await Promise.all([
    moduleFolder('istiod', 'istio.io/istio'),
    moduleFolder('istiod', 'sigs.k8s.io/gateway-api'),
  ]);
  const files = [join(istio, 'manifests/charts/base/files/crd-all.gen.yaml'), join(gateway, 'config/crd/standard')];
  const names = ['gateways', 'gatewayclasses', 'httproutes', 'grpcroutes', 'referencegrants', 'backendtlspolicies'];
  const parts = names.map((name) => join(files[1] ?? '', `gateway.networking.k8s.io_${name}.yaml`));
  const crds = [files[0] ?? '', ...parts].flatMap((file) => ['-f', file]);
  await kubernetes.kubectl(['apply', '--server-side', ...crds]);
  await kubernetes.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
}

/** istiod beside the cluster instead of in it: over plain text, without its own certificates. */
async function startIstiod(bed: Testbed, log: (line: string) => void): Promise<Part & { port: number }> {
  const program = join(await compiled('istiod', log), 'istiod');
  const dir = join(bed.dir, 'istiod');
  await mkdir(dir);
  const mesh = join(dir, 'mesh.json');
  const accessLog = { name: 'accesslog', envoyFileAccessLog: { path: '/dev/stdout' } };
  // Nobody answers there: that proxies are told of it is enough.
  const tracing = { name: 'zipkin', zipkin: { service: 'tracing.example.com', port: 9411 } };
  const config = { enableAutoMtls: false, defaultProviders: { metrics: [] }, extensionProviders: [accessLog, tracing] };
  await writeFile(mesh, JSON.stringify(config));
  const [port, http, monitoring, webhook] = await Promise.all([bed.port(), bed.port(), bed.port(), bed.port()]);
  const on = (number: number) => `127.0.0.1:${number}`;
  const args = [
    'discovery',
    `--kubeconfig=${bed.kubernetes.kubeconfig}`,
    `--meshConfig=${mesh}`,
    `--grpcAddr=${on(port)}`,
    '--secureGRPCAddr=',
    `--httpAddr=${on(http)}`,
    `--httpsAddr=`,
    `--monitoringAddr=${on(monitoring)}`,
    '--ctrlz_port=0',
    '--log_output_level=default:warn',
  ];
  const env = {
    PILOT_ENABLE_METADATA_EXCHANGE: 'false',
    PILOT_ENABLE_ALPN_FILTER: 'false',
    ENABLE_CA_SERVER: 'false',
    PILOT_ENABLE_GATEWAY_API: 'true',
    PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER: 'false',
    PILOT_ENABLE_GATEWAY_API_STATUS: 'true',
    POD_NAMESPACE: namespace,
    POD_NAME: 'istiod',
    REVISION: 'default',
    INJECTION_WEBHOOK_CONFIG_NAME: '',
    VALIDATION_WEBHOOK_CONFIG_NAME: '',
    KUBERNETES_WEBHOOK_PORT: `${webhook}`,
  };
  const ready = async () =>
    (await portOpen(port)) && (await fetch(`http://${on(http)}/ready`, { signal: AbortSignal.timeout(1_000) })).ok;
  return { ...(await bed.launch('istiod', program, args, { ready, env })), port };
}

/** The folder of an image of the example app; what it does wrong is in its environment. */
async function shopContext(bed: Testbed, tag: string, log: (line: string) => void): Promise<string> {
  const context = join(bed.dir, `shop-${tag}`);
  await mkdir(context, { recursive: true });
  const binary = await readFile(join(await compiled('web', log), 'web'));
  await writeFile(join(context, 'web'), binary, { mode: 0o755 });
  const ills: Record<string, string> = { v4: 'ENV FAILS=0.07\n', v5: 'ENV SLOW=80ms\n' };
  const entry = tag === 'v3' ? 'ENTRYPOINT ["/web-is-missing"]\n' : 'ENTRYPOINT ["/web"]\n';
  const dockerfile = `FROM scratch\nCOPY web /web\nENV VERSION=${tag}\n${ills[tag] ?? ''}EXPOSE 8080\n${entry}`;
  await writeFile(join(context, 'Dockerfile'), dockerfile);
  return context;
}

/** A real mesh beside a bed that runs: istiod, Envoy and Prometheus, in some seconds. They end with the bed. */
export async function startMesh(bed: Testbed, log: (line: string) => void): Promise<Mesh> {
  const port = await bed.port();
  await bed.kubernetes.kubectl(['create', 'namespace', namespace]);
  // istiod takes up kinds that come while it runs.
  const [istiod, prometheus] = await Promise.all([
    startIstiod(bed, log),
    startPrometheus(bed),
    applyCrds(bed).then(() => Promise.all([keepOnLoopback(bed, namespace), applySharedGateway(bed, namespace, port)])),
  ]);
  const proxy = async (wanted: MeshProxy) => {
    const envoy = await startEnvoy(bed, wanted, istiod.port, log);
    await prometheus.watch(wanted.name, envoy.admin);
    return envoy;
  };
  const envoy = await proxy({ name: 'gw', type: 'router', ip: '127.0.0.1', namespace, labels: { istio: 'gw' } });
  return {
    istiod,
    gateway: { ...envoy, port, url: `http://127.0.0.1:${port}` },
    prometheus,
    proxy,
    pushShop: async (tag, as = `shop:${tag}`) => {
      const image = `${bed.registry.host}/${as}`;
      await bed.docker.buildAndPush(await shopContext(bed, tag, log), image);
      return image;
    },
  };
}
