import { useEffect, useState } from 'react';
import type { Space } from './use-workspace.ts';

/** By channel: up to which message this person has looked. */
export type Seen = Readonly<Record<string, string>>;

const nameFor = (me: string) => `seen by ${me}`;

function remembered(me: string): Seen {
  // Nobody else writes there.
  return JSON.parse(localStorage.getItem(nameFor(me)) ?? '{}') as Seen;
}

const newestIn = ({ messages }: Space, channel: string): string =>
  [...messages.values()].reduce(
    (latest, message) => (message.channel === channel && Number(message.ts) > Number(latest) ? message.ts : latest),
    '0',
  );

/** What is new in the channels that are not before one's eyes; the browser remembers it for each person. */
export function useSeen(space: Space | undefined, channel: string | undefined): Seen {
  const [seen, setSeen] = useState<Seen>({});
  useEffect(() => {
    if (!space || channel === undefined) return;
    const now = { ...remembered(space.me), [channel]: newestIn(space, channel) };
    localStorage.setItem(nameFor(space.me), JSON.stringify(now));
    setSeen(now);
  }, [space, channel]);
  return seen;
}
