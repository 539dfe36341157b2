import type { WebClient } from '@slack/web-api';
import type { Clock } from '../../src/core/ports.ts';
import { createSlackClient } from './client.ts';
import { createInstallation, type LookUpInstallation } from './installation.ts';
import { createMembers, type Members } from './members.ts';

/** Slack, where Shipmate is installed in it, and whom it knows there. */
export type SlackPeople = { client: WebClient; installed: LookUpInstallation; members: Members };

/** What a process needs of Slack, once: what people are is remembered in it. */
export function createSlackPeople(options: { token: string; apiUrl?: string }, now: Clock): SlackPeople {
  const client = createSlackClient(options);
  const installed = createInstallation(client, now);
  return { client, installed, members: createMembers(client, installed, now) };
}
