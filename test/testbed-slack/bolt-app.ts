import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { App, HTTPReceiver, LogLevel, SocketModeReceiver } from '@slack/bolt';
import { type FakeSlack, startFakeSlack } from '../../testbed/slack/fake-slack.ts';

export const [ana, ben, ship] = ['U0ANA', 'U0BEN', 'C0SHIP'];
const secrets = { signingSecret: 'not a real secret', botToken: 'xoxb-fake', appToken: 'xapp-fake' };

export type Bed = { slack: FakeSlack; app: App; stop(): Promise<void> };

const appOf = (receiver: HTTPReceiver | SocketModeReceiver, apiUrl: string) =>
  new App({
    receiver,
    token: secrets.botToken,
    logLevel: LogLevel.ERROR,
    clientOptions: { slackApiUrl: apiUrl, rejectRateLimitedCalls: true, retryConfig: { retries: 0 } },
  });

/** A real Bolt app, by HTTP, against a fake Slack of its own. */
export async function startHttpBed(): Promise<Bed> {
  const slack = await startFakeSlack(secrets);
  const receiver = new HTTPReceiver({ signingSecret: secrets.signingSecret, endpoints: ['/slack/events'] });
  const app = appOf(receiver, slack.apiUrl);
  const server = createServer(receiver.requestListener);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  // A listening TCP server has one.
  const { port } = server.address() as AddressInfo;
  slack.setTarget(`http://127.0.0.1:${port}/slack/events`);
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    await slack.close();
  };
  return { slack, app, stop };
}

/** The same by Socket Mode. */
export async function startSocketBed(): Promise<Bed> {
  const slack = await startFakeSlack(secrets);
  const receiver = new SocketModeReceiver({
    appToken: secrets.appToken,
    logLevel: LogLevel.ERROR,
    installerOptions: { clientOptions: { slackApiUrl: slack.apiUrl } },
  });
  const app = appOf(receiver, slack.apiUrl);
  await app.start();
  const stop = async () => {
    await app.stop();
    await slack.close();
  };
  return { slack, app, stop };
}
