import type { WebClient } from '@slack/web-api';
import { z } from 'zod';
import { createInstallation } from './installation.ts';
import { isFullMember } from './members.ts';

const User = z.looseObject({ id: z.string(), name: z.string() });
const Users = z.looseObject({ members: z.array(User) });
const Channel = z.looseObject({
  id: z.string(),
  name: z.string(),
  is_archived: z.boolean().nullish(),
  is_ext_shared: z.boolean().nullish(),
});
const Channels = z.looseObject({ channels: z.array(Channel) });

const most = 8;
/** Channels that shipping is talked about in, those first that say so most. */
const telling = [/ship/, /deploy|release/, /^(dev)?ops|platform|infra/, /engineering|^dev/];

/** A name that YAML and people read at once. */
const plainName = (name: string, id: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z]+/, '') || id.toLowerCase();

async function channelOf(client: WebClient) {
  // Without the scope channels:read Slack refuses, and then nobody's channel is proposed.
  const answer = await client.conversations.list({ limit: 200, exclude_archived: true }).catch(() => undefined);
  const parsed = Channels.safeParse(answer);
  const all = parsed.success ? parsed.data.channels : [];
  // What others read along is no place to tell of oneself.
  const open = all.filter(({ is_archived, is_ext_shared }) => !is_archived && !is_ext_shared);
  const found = telling.flatMap((form) => open.filter(({ name }) => form.test(name)))[0];
  return found && { id: found.id, name: found.name.replace(/\s+/g, ' ').slice(0, 80) };
}

/** The first full members of a workspace, how many more there are, and the channel that sounds like shipping. Only reads. */
export async function glance(client: WebClient) {
  const [installation, answer] = await Promise.all([
    createInstallation(client, Date.now)(),
    client.users.list({ limit: 200 }),
  ]);
  // Slack's own bot says nothing of being one.
  const full = Users.parse(answer).members.filter(
    (user) => user.id !== 'USLACKBOT' && isFullMember(user, installation),
  );
  const names = new Set<string>();
  const people = full.slice(0, most).map(({ id, name }) => {
    const plain = plainName(name, id);
    const own = names.has(plain) ? `${plain}-${id.toLowerCase()}` : plain;
    names.add(own);
    return { id, name: own };
  });
  const channel = await channelOf(client);
  return { people, more: full.length - people.length, ...(channel && { channel }) };
}
