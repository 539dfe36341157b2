import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { commandsOf } from '../handlers/slack/manifest.ts';
import { catalogue } from '../src/operations/catalogue.ts';
import { compiled } from '../testbed/compile.ts';
import { leastPrivileged } from '../testbed/least-privileged.ts';
import { type Mesh, startMesh } from '../testbed/mesh/mesh.ts';
import { ensurePackages } from '../testbed/packages.ts';
import { freePort, untilFree } from '../testbed/ports.ts';
import { setUp } from '../testbed/setup.ts';
import { startShipmate } from '../testbed/shipmate.ts';
import { type FakeSlack, startFakeSlack } from '../testbed/slack/fake-slack.ts';
import { type BesideCluster, startBesideCluster, startTestbed, type Testbed } from '../testbed/testbed.ts';
import { type Console, startConsole } from './console/start-console.ts';
import { type KeptAlive, keepAlive } from './kept-alive.ts';
import { settingsOf, ship } from './settings.ts';
import { openToVisitors } from './visitors.ts';

export type SandboxOptions = {
  log: (line: string) => void;
  /** A cluster that somebody named, instead of one of the sandbox's own. */
  context?: string;
  registry?: string;
  dockerHost?: string;
};

export type Sandbox = {
  /** The page. */
  url: string;
  /** Where visitors come in; nowhere beside somebody's own cluster. */
  gateway: string | undefined;
  bed: Testbed | BesideCluster;
  /** What Shipmate reaches the cluster with: in one of the sandbox's own it may do what its operations need, and nothing else. */
  shipmateKubeconfig: string;
  slack: FakeSlack;
  /** It is started again whenever it ends, until the sandbox does. */
  shipmate: KeptAlive;
  alertToken: string;
  /** For REST, as Ana, for a day. */
  token: string;
  /** What docs/rest.md begins with. */
  exports: string;
  stop(): Promise<void>;
};

const tags = ['v1', 'v2', 'v3'];
const namespaces = ['staging', 'production'];
const wellKnownPort = 3015;
const consolePort = 3016;
/** How long whoever inherited the port of a Shipmate that was killed may go on holding it. */
const inheritedMs = 5_000;

/** `own`: the bed where the cluster is the sandbox's own. */
type Ground = { bed: Testbed | BesideCluster; own?: Testbed; mesh?: Mesh };

/** The bed, and in a cluster of the sandbox's own a mesh; somebody's cluster is left as it is. */
async function startBed(options: SandboxOptions): Promise<Ground> {
  const { log, context, registry, dockerHost } = options;
  await setUp(log, { besideCluster: context !== undefined });
  log(
    context === undefined
      ? 'Starting Kubernetes, dockerd, a registry and Redis'
      : `Starting beside the cluster ${context}`,
  );
  if (context !== undefined)
    return { bed: await startBesideCluster({ log, context, registry, dockerHost, registryPort: 5000 }) };
  await ensurePackages(['mesh'], log);
  const bed = await startTestbed({ log, registryPort: 5000 });
  log('Starting a mesh: istiod, Envoy and Prometheus');
  try {
    return { bed, own: bed, mesh: await startMesh(bed, log) };
  } catch (problem) {
    await bed.stop();
    throw problem;
  }
}

/** v1 goes out as people would do it: asked for in Slack, approved by somebody else. */
async function deployFirstVersion(slack: FakeSlack): Promise<void> {
  await slack.command('U0ANA', ship, '/deploy web:v1 staging');
  await slack.command('U0ANA', ship, '/deploy web:v1 production');
  const card = await slack.waitFor(
    'the plan',
    ({ text }) => text.startsWith('Deploy web to production: waiting'),
    30_000,
  );
  await slack.click('U0BEN', card, 'Approve');
  for (const env of ['staging', 'production'])
    await slack.waitFor('v1 runs', ({ text }) => text.startsWith(`Deploy web to ${env}: done`), 60_000);
}

const newSecrets = () => ({
  signing: randomBytes(16).toString('hex'),
  jwt: randomBytes(32).toString('hex'),
  alerts: randomBytes(16).toString('hex'),
  bot: `xoxb-${randomBytes(16).toString('hex')}`,
  encryption: randomBytes(32).toString('hex'),
});

const tokenOf = (secret: string): Promise<string> =>
  new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('ana@example.com')
    .setExpirationTime('1d')
    .sign(new TextEncoder().encode(secret));

type Secrets = ReturnType<typeof newSecrets>;

/** Shipmate, always on the same port: what Slack, the page and the terminal know of it stays true. */
async function startOwnShipmate(
  { log }: SandboxOptions,
  { bed, mesh }: Ground,
  secrets: Secrets,
  more: { kubeconfig: string; slackApiUrl: string; buildx: string },
): Promise<KeptAlive> {
  const settings = join(bed.dir, 'shipmate.yaml');
  await writeFile(settings, settingsOf(bed, mesh));
  const { port } = await freePort(wellKnownPort);
  log('Starting Shipmate');
  const env = {
    PORT: String(port),
    REDIS_URL: bed.redis.url,
    KUBECONFIG: more.kubeconfig,
    DOCKER_HOST: bed.docker.host,
    BUILDX: join(more.buildx, 'buildx'),
    SHIPMATE_CONFIG: settings,
    SLACK_BOT_TOKEN: secrets.bot,
    SLACK_SIGNING_SECRET: secrets.signing,
    SLACK_API_URL: more.slackApiUrl,
    JWT_SECRET: secrets.jwt,
    ENCRYPTION_KEY: secrets.encryption,
    ALERTMANAGER_TOKEN: secrets.alerts,
    ...(mesh && { METRICS_ENDPOINT: mesh.prometheus.url }),
  };
  const start = async (signal: AbortSignal) => {
    await untilFree(port, inheritedMs, signal);
    return startShipmate(env, { signal });
  };
  return keepAlive({ start, log });
}

async function openConsole(slack: FakeSlack, shipmate: KeptAlive): Promise<Console> {
  const commands = commandsOf(catalogue).map(({ command, description, usageHint }) => ({
    command,
    description,
    usage_hint: usageHint,
  }));
  return startConsole(slack, { port: (await freePort(consolePort)).port, commands, suggestions, shipmate });
}

/** Everything on one machine: a cluster, a registry, a Slack, Shipmate between them, and version 1 running. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { log } = options;
  const [ground, buildx] = await Promise.all([startBed(options), compiled('buildx', log)]);
  const { bed, own, mesh } = ground;
  let shipmate: KeptAlive | undefined;
  try {
    const secrets = newSecrets();
    log(`Building and pushing ${tags.map((tag) => `web:${tag}`).join(', ')}`);
    const [slack] = await Promise.all([
      startFakeSlack({ signingSecret: secrets.signing, botToken: secrets.bot }),
      ...tags.map((tag) => bed.pushWeb(tag)),
      ...['v1', 'v2'].map((tag) => bed.pushWeb(tag, 'orders')),
      mesh?.pushShop('v4', 'web:flaky'),
      ...namespaces.map((name) => namespace(bed, name)),
    ]);
    // Somebody's cluster gets no roles: what whoever named it may do there is enough.
    const shipmateKubeconfig = own ? await leastPrivileged(own, namespaces) : bed.kubernetes.kubeconfig;
    const reached = { kubeconfig: shipmateKubeconfig, slackApiUrl: slack.apiUrl, buildx };
    const kept = await startOwnShipmate(options, ground, secrets, reached);
    shipmate = kept;
    slack.setTarget(`${kept.url}/slack/events`);
    log('Opening the console');
    const console = await openConsole(slack, kept);
    log('Deploying web:v1 to staging and production');
    await deployFirstVersion(slack);
    const [token, visitors] = await Promise.all([
      tokenOf(secrets.jwt),
      mesh && openToVisitors(bed, mesh, log),
      runOrders(bed),
    ]);
    const stop = async () => {
      // First: Ctrl-C reaches Shipmate too, and it is not to be started again for that.
      await kept.stop();
      await visitors?.stop();
      await console.close();
      await slack.close();
      await bed.stop();
    };
    return {
      url: console.url,
      gateway: mesh?.gateway.url,
      bed,
      shipmateKubeconfig,
      slack,
      shipmate: kept,
      alertToken: secrets.alerts,
      token,
      exports: `export SHIPMATE=${kept.url}/api/v1/cloud-native REGISTRY=${bed.registry.host} TOKEN=${token}`,
      stop,
    };
  } catch (problem) {
    await shipmate?.stop();
    await bed.stop();
    throw problem;
  }
}

/** What there is to try, in the order that tells the story. */
export const suggestions = [
  '/deploy web:v2 production',
  '/deploy web:flaky production',
  '/deploy web:v3 staging',
  '/ship status',
  '/ship apps',
  '/deploy orders:v2 production',
  '/ship scale web to 3 in staging',
  '/build web v4',
];

/** A Deployment that nobody made through Shipmate, and that has no entry in its settings. */
async function runOrders({ kubernetes, registry }: Testbed | BesideCluster): Promise<void> {
  const labels = { 'app.kubernetes.io/name': 'orders' };
  const containers = [{ name: 'orders', image: `${registry.host}/orders:v1`, ports: [{ containerPort: 8080 }] }];
  const orders = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'orders', namespace: 'production', labels },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  };
  await kubernetes.kubectl(['apply', '-f', '-'], JSON.stringify(orders));
}

async function namespace({ kubernetes }: Testbed | BesideCluster, name: string): Promise<void> {
  const found = await kubernetes.kubectl(['get', 'namespace', name, '--ignore-not-found', '-o', 'name']);
  if (found.trim() === '') await kubernetes.kubectl(['create', 'namespace', name]);
}
