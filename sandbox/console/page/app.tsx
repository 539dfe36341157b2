import { useEffect, useMemo, useState } from 'react';
import { ChannelView } from './channel-view.tsx';
import { type Desk, DeskContext, send } from './desk.ts';
import { Modal } from './modal.tsx';
import { ShipmateLine } from './shipmate-line.tsx';
import { Sidebar } from './sidebar.tsx';
import { ThreadPanel } from './thread-panel.tsx';
import { TopBar } from './top-bar.tsx';
import { useSeen } from './use-seen.ts';
import { useWorkspace } from './use-workspace.ts';

/** Who and where one is stands in the address, so that two windows can be two people. */
const fromAddress = (name: string) => new URLSearchParams(location.search).get(name) ?? undefined;

function useAddress(place: Record<string, string | undefined>): void {
  const query = new URLSearchParams(Object.entries(place).flatMap(([key, value]) => (value ? [[key, value]] : [])));
  const address = `?${query}`;
  useEffect(() => history.replaceState(null, '', address), [address]);
}

export function App() {
  const [chosen, be] = useState(fromAddress('as') ?? '');
  const { space, live } = useWorkspace(chosen);
  const me = space?.me ?? chosen;
  const [wanted, setChannel] = useState(fromAddress('channel'));
  const [thread, setThread] = useState(fromAddress('thread'));
  const channel = space?.channels.find(({ id }) => id === wanted) ?? space?.channels[0];
  const seen = useSeen(space, channel?.id);
  useAddress({ as: me, channel: channel?.id, thread });
  const desk = useMemo(
    (): Desk | undefined =>
      space && {
        space,
        act: (deed) => send({ ...deed, as: space.me }),
        openThread: setThread,
        openChannel: (id) => {
          setChannel(id);
          setThread(undefined);
        },
      },
    [space],
  );
  useEffect(() => {
    const close = ({ key, defaultPrevented, target }: KeyboardEvent) => {
      const writing = target instanceof HTMLTextAreaElement && target.value !== '';
      const meant = !defaultPrevented && !writing && !document.querySelector('dialog[open]');
      if (key === 'Escape' && meant) setThread(undefined);
    };
    addEventListener('keydown', close);
    return () => removeEventListener('keydown', close);
  }, []);
  if (!desk || !space || !channel) return <p className="waiting">Opening the workspace…</p>;
  const open = space.views.at(-1);
  return (
    <DeskContext value={desk}>
      <TopBar space={space} live={live} onBe={be} />
      {space.shipmate && <ShipmateLine shipmate={space.shipmate} live={live} />}
      <div className={`desk ${thread ? 'with-thread' : ''}`}>
        <Sidebar channel={channel.id} seen={seen} />
        <ChannelView channel={channel} />
        {thread && <ThreadPanel channel={channel} ts={thread} onClose={() => setThread(undefined)} />}
      </div>
      {open?.view.type === 'modal' && <Modal key={open.id} open={open} view={open.view} />}
    </DeskContext>
  );
}
