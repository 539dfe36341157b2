import { createContext, useContext } from 'react';
import type { User } from '../../../testbed/slack/workspace.ts';
import type { SentDeed } from '../deed.ts';
import type { Outcome } from '../wire.ts';
import { token } from './token.ts';
import type { Space } from './use-workspace.ts';

type Without<Union, Key extends string> = Union extends unknown ? Omit<Union, Key> : never;

/** What every part of the page needs: what there is to see, and how to do something as who one is. */
export type Desk = {
  space: Space;
  act(deed: Without<SentDeed, 'as'>): Promise<Outcome>;
  openThread(ts: string): void;
  openChannel(id: string): void;
};

export const DeskContext = createContext<Desk | undefined>(undefined);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error('a part of the page stands outside DeskContext');
  return desk;
}

const slackbot: User = { id: 'USLACKBOT', name: 'slackbot', realName: 'Slackbot', title: '' };

export const userOf = ({ users }: Space, id: string): User =>
  users.find((user) => user.id === id) ?? (id === slackbot.id ? slackbot : { ...slackbot, id, realName: id });

/** Sends a deed to the console's server. */
export async function send(deed: SentDeed): Promise<Outcome> {
  const response = await fetch('/do', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token()}` },
    body: JSON.stringify(deed),
    signal: AbortSignal.timeout(10_000),
  });
  const body: unknown = await response.json();
  // The console's own server sent it.
  if (response.ok) return body as Outcome;
  throw new Error(`the console could not do that: ${JSON.stringify(body)}`);
}
