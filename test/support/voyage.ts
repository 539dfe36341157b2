import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ShipmateProcess, startShipmate } from '../../testbed/shipmate.ts';
import { type FakeSlack, startFakeSlack } from '../../testbed/slack/fake-slack.ts';
import { bed } from './bed.ts';
import { kubectl, makeNamespace } from './kubectl.ts';
import { startRedis, type TestRedis } from './redis.ts';

export const ship = 'C0SHIP';
export const [ana, ben, cho, gus] = ['U0ANA', 'U0BEN', 'U0CHO', 'U0GUS'];

export type Voyage = {
  slack: FakeSlack;
  redis: TestRedis;
  namespaces: { staging: string; production: string };
  jwtSecret: string;
  alertToken: string;
  /** The path of its shipmate.yaml. */
  settings: string;
  /** Starts another process of this Shipmate. */
  start(role: 'bot' | 'worker' | 'all', env?: Record<string, string>): Promise<ShipmateProcess>;
  end(): Promise<void>;
};

const quote = JSON.stringify;

function settingsOf(namespaces: Voyage['namespaces']): string {
  return `
channel: ${ship}
apps:
  web:
    image: ${bed.registryHost}/web
    channel: ${ship}
    build: { context: ${quote(fileURLToPath(new URL('../../examples/web', import.meta.url)))}, args: { VERSION: '{tag}', BASE: ${quote(bed.busybox)} } }
  shop:
    image: ${bed.registryHost}/shop
    channel: ${ship}
    rollout: { drain: 3s }
  my-app:
    image: ${bed.registryHost}/web
    channel: ${ship}
environments:
  staging: { namespace: ${namespaces.staging}, rolloutTimeoutSeconds: 60 }
  production: { namespace: ${namespaces.production}, rolloutTimeoutSeconds: 60 }
people:
  ana: { slack: U0ANA, subject: ana@example.com }
  ben: { slack: U0BEN, subject: ben@example.com }
roles: { engineers: [ana, ben], on-call: ['group:S0ENGINEERS'] }
breakGlass: { who: [on-call], reviewers: [engineers] }
policy:
  - { name: anyone may look, effects: [read] }
  - { name: engineers keep order, operations: [lock, unlock, join, stop, resume, away, back], who: [engineers] }
  - { name: building is free, operations: [build] }
  - { name: staging is free, environments: [staging] }
  - { name: production needs another engineer, environments: [production], who: [engineers], approvals: 1, approvers: [engineers] }
`;
}

/** A Slack workspace, a Redis and two namespaces of the test's own, and as many processes of Shipmate as it likes. */
export async function startVoyage(options: { socketMode?: boolean } = {}): Promise<Voyage> {
  const id = randomBytes(3).toString('hex');
  const namespaces = { staging: `staging-${id}`, production: `production-${id}` };
  const secrets = {
    signing: randomBytes(16).toString('hex'),
    bot: `xoxb-${id}`,
    app: `xapp-${id}`,
    jwt: randomBytes(32).toString('hex'),
    alerts: randomBytes(16).toString('hex'),
  };
  const [redis, slack] = await Promise.all([
    startRedis(),
    startFakeSlack({ signingSecret: secrets.signing, botToken: secrets.bot, appToken: secrets.app }),
    ...Object.values(namespaces).map(makeNamespace),
  ]);
  const settings = join(bed.dir, `shipmate-${id}.yaml`);
  await writeFile(settings, settingsOf(namespaces));
  const processes: ShipmateProcess[] = [];
  return {
    slack,
    redis,
    namespaces,
    jwtSecret: secrets.jwt,
    alertToken: secrets.alerts,
    settings,
    start: async (role, env = {}) => {
      const started = await startShipmate({
        ROLE: role,
        REDIS_URL: redis.url,
        KUBECONFIG: bed.shipmateKubeconfig,
        DOCKER_HOST: bed.dockerHost,
        BUILDX: bed.buildx,
        SHIPMATE_CONFIG: settings,
        SLACK_BOT_TOKEN: secrets.bot,
        SLACK_SIGNING_SECRET: secrets.signing,
        SLACK_API_URL: slack.apiUrl,
        JWT_SECRET: secrets.jwt,
        ALERTMANAGER_TOKEN: secrets.alerts,
        ...(options.socketMode && { SLACK_APP_TOKEN: secrets.app }),
        ...env,
      });
      processes.push(started);
      if (role !== 'worker') slack.setTarget(`${started.url}/slack/events`);
      return started;
    },
    end: async () => {
      await Promise.all(processes.map((each) => each.kill('SIGKILL')));
      await Promise.all([
        slack.close(),
        redis.stop(),
        ...Object.values(namespaces).map((name) => kubectl(['delete', 'namespace', name, '--wait=false'])),
      ]);
    },
  };
}
