import { Avatar } from './avatar.tsx';
import { userOf } from './desk.ts';
import type { Space } from './use-workspace.ts';

type Props = { space: Space; live: boolean; onBe(id: string): void };

const titled = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

/** Which workspace this is, and who one is in it. */
export const TopBar = ({ space, live, onBe }: Props) => (
  <header className="top-bar">
    <div className="workspace">
      <span className="app-icon" aria-hidden="true" />
      <b>{titled(space.workspace)}</b>
      <span className={`live ${live ? '' : 'lost'}`} role="status">
        {live ? 'sandbox' : 'connecting…'}
      </span>
    </div>
    <div className="personas" role="radiogroup" aria-label="Who you are">
      <span className="personas-label">You are</span>
      {space.personas.map(({ id, role }) => {
        const user = userOf(space, id);
        return (
          // biome-ignore lint/a11y/useSemanticElements: a radio button that is drawn as a person
          <button
            key={id}
            type="button"
            role="radio"
            aria-checked={id === space.me}
            className="persona"
            onClick={() => onBe(id)}
          >
            <Avatar user={user} small />
            <span className="persona-name">{user.realName.split(' ')[0]}</span>
            <span className="persona-role">{role}</span>
          </button>
        );
      })}
    </div>
  </header>
);
