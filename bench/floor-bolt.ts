import { App, HTTPReceiver, LogLevel } from '@slack/bolt';

/** The floor of `ack`: a Bolt app that does nothing but acknowledge. */
const receiver = new HTTPReceiver({
  signingSecret: process.env.SIGNING_SECRET ?? '',
  endpoints: ['/slack/events'],
  logLevel: LogLevel.ERROR,
});
const app = new App({ receiver, authorize: async () => ({ botToken: 'xoxb-floor' }), logLevel: LogLevel.ERROR });
app.command('/ship', async ({ ack }) => ack());
const server = await app.start({ port: 0, host: '127.0.0.1' });
const address = server.address();
console.log(`ready http://127.0.0.1:${address && typeof address === 'object' ? address.port : 0}`);
