import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import type { Channel } from '../../../testbed/slack/workspace.ts';
import { type Completing, completionsAt, usageOf } from './completions.ts';
import { useDesk } from './desk.ts';
import { Icon } from './icons.tsx';

type Props = { channel: Channel; thread?: string; tried?: { line: string } | undefined };

const notInThreads = (command: string) => `${command} does not work in threads. Mention @shipmate instead.`;

/** Text with a caret, and what was sent before, for the arrow keys. */
function useDraft(tried: Props['tried']) {
  const input = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState('');
  const [caret, setCaret] = useState(0);
  const write = (words: string, at = words.length) => {
    setText(words);
    setCaret(at);
    input.current?.focus();
    requestAnimationFrame(() => input.current?.setSelectionRange(at, at));
  };
  const show = useRef(write);
  show.current = write;
  useEffect(() => {
    if (tried) show.current(tried.line);
  }, [tried]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: grows with the text
  useLayoutEffect(() => {
    const { current } = input;
    if (!current) return;
    current.style.height = 'auto';
    current.style.height = `${Math.min(current.scrollHeight, 240)}px`;
  }, [text]);
  return { input, text, caret, write, setText, setCaret };
}

type ListProps = { completing: Completing; chosen: number; id: string; onPick(index: number): void };

const CompletionList = ({ completing, chosen, id, onPick }: ListProps) => (
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

/** Where one writes. Enter sends, Shift+Enter begins a line, Tab or Enter completes, Escape puts the list away. */
export function Composer({ channel, thread, tried }: Props) {
  const { space, act } = useDesk();
  const listId = useId();
  const { input, text, caret, write, setText, setCaret } = useDraft(tried);
  const [chosen, setChosen] = useState(0);
  const [hidden, setHidden] = useState(false);
  const [sent, setSent] = useState<string[]>([]);
  const [problem, setProblem] = useState<string>();
  const completing = hidden ? undefined : completionsAt(space, text, caret);
  const usage = usageOf(space, text);

  const change = (words: string, at: number) => {
    setText(words);
    setCaret(at);
    setHidden(false);
    setChosen(0);
  };
  const pick = (index: number) => {
    const option = completing?.options[index];
    if (!completing || !option) return;
    write(text.slice(0, completing.from) + option.text + text.slice(caret), completing.from + option.text.length);
    setChosen(0);
  };
  const submit = () => {
    const words = text.trim();
    if (words === '') return;
    const [command = ''] = words.split(/\s/);
    if (command.startsWith('/') && thread !== undefined) return setProblem(notInThreads(command));
    setProblem(undefined);
    setSent([words, ...sent.filter((line) => line !== words)]);
    write('');
    const deed = command.startsWith('/')
      ? ({ kind: 'command', channel: channel.id, line: words } as const)
      : ({ kind: 'say', channel: channel.id, text: words, ...(thread && { thread }) } as const);
    act(deed).catch(() => setProblem('That could not be sent. Is the sandbox still running?'));
  };
  const recall = (step: 1 | -1) => {
    const line = sent[sent.indexOf(text) + step];
    if (line !== undefined || step === -1) write(line ?? '');
  };
  const keys: Record<string, (() => void) | undefined> = completing
    ? {
        ArrowDown: () => setChosen((chosen + 1) % completing.options.length),
        ArrowUp: () => setChosen((chosen + completing.options.length - 1) % completing.options.length),
        Tab: () => pick(chosen),
        Enter: () => pick(chosen),
        Escape: () => setHidden(true),
      }
    : {
        Enter: submit,
        ArrowUp: text === '' || sent.includes(text) ? () => recall(1) : undefined,
        ArrowDown: sent.includes(text) ? () => recall(-1) : undefined,
      };
  const press = (event: KeyboardEvent) => {
    const does = keys[event.key];
    if (!does || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    does();
  };

  const name = thread === undefined ? `Message #${channel.name}` : 'Reply…';
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {completing && <CompletionList completing={completing} chosen={chosen} id={listId} onPick={pick} />}
      {usage && <div className="usage">{usage}</div>}
      <div className="composer-box">
        <textarea
          ref={input}
          rows={1}
          value={text}
          aria-label={name}
          placeholder={name}
          role="combobox"
          aria-expanded={completing !== undefined}
          aria-controls={listId}
          aria-activedescendant={completing && `${listId}-${chosen}`}
          aria-autocomplete="list"
          onChange={({ target }) => change(target.value, target.selectionStart)}
          onSelect={({ currentTarget }) => setCaret(currentTarget.selectionStart)}
          onKeyDown={press}
        />
        <div className="composer-tools">
          <button type="button" aria-label="Run a command" title="Run a command" onClick={() => write('/')}>
            <Icon name="slash" />
          </button>
          <button type="button" aria-label="Mention someone" title="Mention someone" onClick={() => write(`${text}@`)}>
            <Icon name="at" />
          </button>
          <button type="submit" className="send" aria-label="Send" disabled={text.trim() === ''}>
            <Icon name="send" />
          </button>
        </div>
      </div>
      <div className="composer-foot" role="status">
        {problem ?? (
          <span>
            <b>Shift + Enter</b> for a new line
          </span>
        )}
      </div>
    </form>
  );
}
