import type { ActionsBlockElement, Button, ImageElement, SectionBlockAccessory } from '@slack/types';
import { useState } from 'react';
import { ConfirmDialog } from '../confirm-dialog.tsx';
import { withEmoji } from '../emoji.ts';
import { Icon } from '../icons.tsx';
import { useAct } from './action.ts';
import { choicesOf, type Menu, useChoices } from './choices.ts';

const Trouble = ({ text }: { text: string }) => (
  <span className="trouble" role="alert">
    <Icon name="alert" /> {text}
  </span>
);

export function ButtonElement({ element }: { element: Button }) {
  const { run, busy, problem } = useAct();
  const [asking, setAsking] = useState(false);
  const { text, style, confirm, url, action_id: action = text.text } = element;
  const click = () => {
    if (url) window.open(url, '_blank', 'noreferrer');
    run(action);
  };
  return (
    <>
      <button
        type="button"
        className={`button ${style ? `button-${style}` : ''}`}
        aria-busy={busy}
        aria-label={element.accessibility_label}
        onClick={() => (confirm ? setAsking(true) : click())}
      >
        {withEmoji(text.text)}
      </button>
      {problem && <Trouble text={problem} />}
      {asking && confirm && (
        <ConfirmDialog
          confirm={confirm}
          onNo={() => setAsking(false)}
          onYes={() => {
            setAsking(false);
            click();
          }}
        />
      )}
    </>
  );
}

export function MenuElement({ element }: { element: Menu }) {
  const { run, busy, problem } = useAct();
  const choices = useChoices(element);
  const words = 'placeholder' in element ? (element.placeholder?.text ?? 'Choose') : 'More';
  const { action_id: action = words } = element;
  return (
    <>
      <select
        className="menu"
        aria-label={words}
        aria-busy={busy}
        defaultValue={choicesOf(element).initial}
        onChange={({ target }) => run(action, target.value)}
      >
        <option value="" disabled>
          {words}
        </option>
        {choices.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
      {problem && <Trouble text={problem} />}
    </>
  );
}

export const Picture = ({ element }: { element: ImageElement }) =>
  'image_url' in element ? <img src={element.image_url} alt={element.alt_text} /> : <span>{element.alt_text}</span>;

/** Whatever may stand in a row of actions or beside a section. */
export function Element({ element }: { element: ActionsBlockElement | SectionBlockAccessory }) {
  switch (element.type) {
    case 'button':
      return <ButtonElement element={element} />;
    case 'image':
      return <Picture element={element} />;
    case 'static_select':
    case 'users_select':
    case 'channels_select':
    case 'conversations_select':
    case 'overflow':
      return <MenuElement element={element} />;
    default:
      return <span className="undrawn">{element.type} isn’t drawn here</span>;
  }
}
