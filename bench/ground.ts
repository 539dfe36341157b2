import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { setUp } from '../testbed/setup.ts';
import { type ShipmateProcess, startShipmate } from '../testbed/shipmate.ts';
import { type FakeSlack, startFakeSlack } from '../testbed/slack/fake-slack.ts';
import { startTestbed, type Testbed } from '../testbed/testbed.ts';

export type Ground = {
  bed: Testbed;
  slack: FakeSlack;
  signingSecret: string;
  start(role: 'bot' | 'worker' | 'all', extra?: Record<string, string>): Promise<ShipmateProcess>;
  /** Empties Redis, so that no benchmark works off what another one left. */
  clear(): Promise<void>;
  end(): Promise<void>;
};

const settings = (registry: string) => `
apps:
  web: { image: ${registry}/web }
environments:
  staging: { namespace: staging, rolloutTimeoutSeconds: 60 }
policy:
  - { name: anything goes }
`;

/** The test bed, a fake Slack, and Shipmate processes over them: what every benchmark stands on. */
export async function breakGround(): Promise<Ground> {
  const log = (line: string) => console.error(`[bed] ${line}`);
  await setUp(log);
  const signingSecret = randomBytes(16).toString('hex');
  const [bed, slack] = await Promise.all([
    startTestbed({ log }),
    startFakeSlack({ signingSecret, botToken: 'xoxb-bench' }),
  ]);
  const file = join(bed.dir, 'shipmate.yaml');
  await writeFile(file, settings(bed.registry.host));
  const processes: ShipmateProcess[] = [];
  return {
    bed,
    slack,
    signingSecret,
    start: async (role, extra = {}) => {
      const started = await startShipmate({
        ROLE: role,
        LOG_LEVEL: 'info',
        NODE_ENV: 'production',
        REDIS_URL: bed.redis.url,
        KUBECONFIG: bed.kubernetes.kubeconfig,
        SHIPMATE_CONFIG: file,
        SLACK_BOT_TOKEN: 'xoxb-bench',
        SLACK_SIGNING_SECRET: signingSecret,
        SLACK_API_URL: slack.apiUrl,
        ...extra,
      });
      processes.push(started);
      if (role !== 'worker') slack.setTarget(`${started.url}/slack/events`);
      return started;
    },
    clear: async () => {
      const redis = new Redis(bed.redis.url);
      await redis.flushall();
      redis.disconnect();
    },
    end: async () => {
      await Promise.all(processes.map((each) => each.kill('SIGKILL')));
      await slack.close();
      await bed.stop();
    },
  };
}
