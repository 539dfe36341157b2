import { useState } from 'react';
import { type Completing, completionsAt } from './completions.ts';
import { useDesk } from './desk.ts';

/** What could come at the caret, which of it is chosen, and whether it was put away. */
export function useCompletion(text: string, caret: number) {
  const { space } = useDesk();
  const [chosen, setChosen] = useState(0);
  const [hidden, setHidden] = useState(false);
  const completing = hidden ? undefined : completionsAt(space, text, caret);
  const count = completing?.options.length ?? 1;
  return {
    completing,
    chosen,
    move: (step: number) => setChosen((chosen + count + step) % count),
    hide: () => setHidden(true),
    restart: () => {
      setHidden(false);
      setChosen(0);
    },
  };
}

type Props = { completing: Completing; chosen: number; id: string; onPick(index: number): void };

export const CompletionList = ({ completing, chosen, id, onPick }: Props) => (
  <div className="completions" role="listbox" id={id} aria-label="Suggestions">
    {completing.options.map(({ label, hint, detail }, index) => (
      <div
        key={label}
        id={`${id}-${index}`}
        className="completion"
        role="option"
        tabIndex={-1}
        aria-selected={index === chosen}
        onMouseDown={(event) => {
          event.preventDefault();
          onPick(index);
        }}
      >
        <b>{label}</b> <span className="completion-hint">{hint}</span>
        <span className="completion-detail">{detail}</span>
      </div>
    ))}
  </div>
);
