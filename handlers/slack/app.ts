import type { RequestListener } from 'node:http';
import { App, HTTPReceiver, LogLevel, SocketModeReceiver } from '@slack/bolt';
import type { WebClient } from '@slack/web-api';
import { registerActions } from './actions.ts';
import { createAdmission } from './admission.ts';
import { createAttached } from './attached.ts';
import { registerCommands } from './commands.ts';
import type { Deps } from './deps.ts';
import { registerEvents } from './events.ts';
import type { LookUpInstallation } from './installation.ts';
import { commandsOf } from './manifest.ts';
import { createMentions } from './mentions.ts';
import { refuseFuture } from './refuse-future.ts';

export type SlackOptions = {
  token: string;
  signingSecret: string;
  /** With it, Socket Mode is used and nothing has to reach us from outside. */
  appToken?: string;
  apiUrl?: string;
  client: WebClient;
  installed: LookUpInstallation;
};

export type SlackSurface = {
  /** For POST /slack/events; undefined in Socket Mode. */
  listener?: RequestListener;
  start(): Promise<void>;
  stop(): Promise<void>;
};

function receiverOf({ signingSecret, appToken, apiUrl }: SlackOptions) {
  const logLevel = LogLevel.ERROR;
  if (appToken) {
    const clientOptions = apiUrl ? { slackApiUrl: apiUrl } : {};
    return new SocketModeReceiver({ appToken, logLevel, installerOptions: { clientOptions } });
  }
  return new HTTPReceiver({
    signingSecret,
    endpoints: ['/slack/events'],
    logLevel,
    bodyLimit: '1mb',
    customPropertiesExtractor: ({ headers }) => ({
      timestamp: headers['x-slack-request-timestamp'],
    }),
  });
}

/** Who the bot is. Slack away does not keep Bolt from handing on what is refused then, and said to be. */
function authorizer({ installed, token }: SlackOptions) {
  return async () => {
    const known = await installed()
      .then(({ team, bot }) => ({ teamId: team, ...bot }))
      .catch(() => ({}));
    return { botToken: token, ...known };
  };
}

/** The Slack surface: everything that comes in from Slack goes to the front door from here. */
export async function createSlackSurface(deps: Deps, options: SlackOptions): Promise<SlackSurface> {
  const receiver = receiverOf(options);
  const app = new App({
    receiver,
    authorize: authorizer(options),
    tokenVerificationEnabled: false,
    deferInitialization: true,
    // Nothing is kept about conversations, so nothing has to be looked up for each request.
    convoStore: false,
    logLevel: LogLevel.ERROR,
    clientOptions: {
      ...(options.apiUrl && { slackApiUrl: options.apiUrl }),
      timeout: 5_000,
      retryConfig: { retries: 0 },
    },
  });
  await app.init();
  app.error(async (problem) => deps.log.error({ problem }, 'a Slack handler failed'));
  app.use(refuseFuture(deps));
  // Before every listener, so that none can forget it.
  const admission = createAdmission(deps);
  app.use(admission.middleware);
  registerCommands(
    app,
    deps,
    admission,
    commandsOf(deps.engine.catalogue).map(({ command }) => command),
  );
  registerActions(app, deps, admission);
  const mentions = createMentions({ deps, client: options.client, readAttached: createAttached(options) });
  registerEvents(app, deps, admission, mentions);
  if (receiver instanceof HTTPReceiver) {
    return {
      listener: receiver.requestListener,
      start: async () => mentions.start(),
      stop: async () => mentions.stop(),
    };
  }
  return {
    start: async () => {
      mentions.start();
      await receiver.start();
    },
    stop: async () => {
      mentions.stop();
      await receiver.stop();
    },
  };
}
