import { useEffect, useMemo, useReducer } from 'react';
import type { Message, OpenView } from '../../../testbed/slack/workspace.ts';
import type { Snapshot, Told } from '../wire.ts';
import { withToken } from './token.ts';

/** The workspace as one person sees it, kept current by the server's events. */
export type Space = Omit<Snapshot, 'kind' | 'messages' | 'views'> & {
  messages: ReadonlyMap<string, Message>;
  views: readonly OpenView[];
};

export type Seen = { space: Space | undefined; live: boolean };

type Change = { kind: 'told'; told: Told } | { kind: 'lost' };

export const keyOf = ({ channel, ts }: Pick<Message, 'channel' | 'ts'>) => `${channel}/${ts}`;

function apply(space: Space, told: Exclude<Told, Snapshot>): Space {
  switch (told.kind) {
    case 'message':
      return { ...space, messages: new Map(space.messages).set(keyOf(told.message), told.message) };
    case 'removed': {
      const messages = new Map(space.messages);
      messages.delete(keyOf(told));
      return { ...space, messages };
    }
    case 'view': {
      const known = space.views.some(({ id }) => id === told.view.id);
      const views = known
        ? space.views.map((view) => (view.id === told.view.id ? told.view : view))
        : [...space.views, told.view];
      return { ...space, views };
    }
    case 'view-closed':
      return { ...space, views: space.views.filter(({ id }) => id !== told.id) };
    case 'home':
      return space;
    case 'shipmate':
      return { ...space, shipmate: told.state };
    default:
      return told satisfies never;
  }
}

function reduce({ space }: Seen, change: Change): Seen {
  if (change.kind === 'lost') return { space, live: false };
  const { told } = change;
  if (told.kind !== 'snapshot') return { space: space && apply(space, told), live: true };
  const { kind, messages, ...rest } = told;
  return { space: { ...rest, messages: new Map(messages.map((message) => [keyOf(message), message])) }, live: true };
}

/** Until the server has told what `me` sees, what everybody sees: nothing of the person that one was before. */
function seenBy(space: Space, me: string): Space {
  if (me === '' || space.me === me) return space;
  const messages = [...space.messages].filter(([, { onlyFor }]) => onlyFor === undefined || onlyFor === me);
  return { ...space, me, messages: new Map(messages), views: [] };
}

/** Follows the workspace as `me`; after a break the server tells all of it anew. */
export function useWorkspace(me: string): Seen {
  const [{ space, live }, change] = useReducer(reduce, { space: undefined, live: false });
  useEffect(() => {
    const source = new EventSource(withToken(`/events?as=${encodeURIComponent(me)}`));
    // The console's own server sent it.
    source.onmessage = ({ data }) => change({ kind: 'told', told: JSON.parse(data) as Told });
    source.onerror = () => change({ kind: 'lost' });
    return () => source.close();
  }, [me]);
  return { space: useMemo(() => space && seenBy(space, me), [space, me]), live };
}
