import { type DragEvent, type KeyboardEvent, useId } from 'react';
import type { Channel } from '../../../testbed/slack/workspace.ts';
import { AttachButton, AttachedFiles } from './attaching.tsx';
import { CompletionList, useCompletion } from './completion-list.tsx';
import { usageOf } from './completions.ts';
import { useDesk } from './desk.ts';
import { Icon } from './icons.tsx';
import { useDraft } from './use-draft.ts';
import { useFiles } from './use-files.ts';
import { useSending } from './use-sending.ts';

type Props = { channel: Channel; thread?: string; tried?: { line: string } | undefined };

/** What is written, what could complete it, and what the keys do. */
function useComposer({ channel, thread, tried }: Props) {
  const draft = useDraft(tried);
  const { text, caret, write } = draft;
  const { send, recall, problem } = useSending(channel.id, thread);
  const attached = useFiles();
  const completion = useCompletion(text, caret);
  const { completing, chosen, move } = completion;
  const pick = (index: number) => {
    const option = completing?.options[index];
    if (!completing || !option) return;
    const { from } = completing;
    write(text.slice(0, from) + option.text + text.slice(caret), from + option.text.length);
    completion.restart();
  };
  const submit = () => {
    const words = text.trim();
    const { files, clear } = attached;
    if ((words === '' && files.length === 0) || !send(words, files)) return;
    write('');
    clear();
  };
  const press = (event: KeyboardEvent) => {
    if (event.shiftKey || event.nativeEvent.isComposing) return;
    const before = recall(text, 1);
    const after = recall(text, -1);
    const keys: Record<string, (() => void) | undefined> = completing
      ? {
          ArrowDown: () => move(1),
          ArrowUp: () => move(-1),
          Tab: () => pick(chosen),
          Enter: () => pick(chosen),
          Escape: completion.hide,
        }
      : {
          Enter: submit,
          ArrowUp: before === undefined ? undefined : () => write(before),
          ArrowDown: after === undefined ? undefined : () => write(after),
        };
    const does = keys[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  };
  return { ...draft, ...completion, attached, problem: attached.problem ?? problem, pick, submit, press };
}

type ToolsProps = { empty: boolean; onWrite(sign: string): void; onFiles(files: Iterable<File>): void };

const Tools = ({ empty, onWrite, onFiles }: ToolsProps) => (
  <div className="composer-tools">
    <button type="button" aria-label="Run a command" title="Run a command" onClick={() => onWrite('/')}>
      <Icon name="slash" />
    </button>
    <button type="button" aria-label="Mention someone" title="Mention someone" onClick={() => onWrite('@')}>
      <Icon name="at" />
    </button>
    <AttachButton onFiles={onFiles} />
    <button type="submit" className="send" aria-label="Send" disabled={empty}>
      <Icon name="send" />
    </button>
  </div>
);

/** Where one writes, and files can be dropped. Enter sends, Shift+Enter begins a line, Tab or Enter completes, Escape puts the list away. */
export function Composer(props: Props) {
  const { channel, thread } = props;
  const { space } = useDesk();
  const listId = useId();
  const { input, text, write, edit, setCaret, completing, chosen, restart, attached, problem, pick, submit, press } =
    useComposer(props);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    attached.add(event.dataTransfer.files);
  };
  const usage = usageOf(space, text);
  const name = thread === undefined ? `Message #${channel.name}` : 'Reply…';
  return (
    <form
      className="composer"
      onDragOver={(event) => event.preventDefault()}
      onDrop={drop}
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
          onChange={({ target }) => {
            edit(target.value, target.selectionStart);
            restart();
          }}
          onSelect={({ currentTarget }) => setCaret(currentTarget.selectionStart)}
          onKeyDown={press}
        />
        {attached.files.length > 0 && <AttachedFiles files={attached.files} onRemove={attached.remove} />}
        <Tools
          empty={text.trim() === '' && attached.files.length === 0}
          onFiles={attached.add}
          onWrite={(sign) => {
            write(sign === '/' ? sign : text + sign);
            restart();
          }}
        />
      </div>
      <div className="composer-foot" role="status">
        {problem ?? 'Shift + Enter for a new line'}
      </div>
    </form>
  );
}
