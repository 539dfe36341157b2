import { LogLevel, WebClient } from '@slack/web-api';

/**
 * Slack's Web API without surprises: every call ends, nothing is sent a second time behind our back,
 * and a rate limit is an error that says when to try again.
 */
export function createSlackClient(options: { token: string; apiUrl?: string }): WebClient {
  return new WebClient(options.token, {
    ...(options.apiUrl && { slackApiUrl: options.apiUrl }),
    timeout: 5_000,
    rejectRateLimitedCalls: true,
    retryConfig: { retries: 0 },
    logLevel: LogLevel.ERROR,
  });
}
