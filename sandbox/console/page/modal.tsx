import type { KnownBlock, ModalView } from '@slack/types';
import { useRef, useState } from 'react';
import type { OpenView } from '../../../testbed/slack/workspace.ts';
import { Blocks } from './blocks/blocks.tsx';
import { useDesk } from './desk.ts';
import { Dialog } from './dialog.tsx';
import { Icon } from './icons.tsx';

const valuesOf = (form: HTMLFormElement): Record<string, string> => {
  const data = new FormData(form);
  return Object.fromEntries([...data.keys()].map((name) => [name, data.getAll(name).map(String).join(',')]));
};

/** An app's form. What the app finds wrong is shown beside the inputs, which keep what was typed. */
export function Modal({ open, view }: { open: OpenView; view: ModalView }) {
  const { act } = useDesk();
  const form = useRef<HTMLFormElement>(null);
  const [busy, setBusy] = useState(false);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState(false);
  const dismiss = () => void act({ kind: 'dismiss', view: open.id }).catch(() => setProblem(true));
  const submit = async () => {
    if (!form.current) return;
    setBusy(true);
    setProblem(false);
    const sent = act({ kind: 'submit', view: open.id, values: valuesOf(form.current) });
    const outcome = await sent.catch(() => ({ status: 0, late: false, errors: {} }));
    setBusy(false);
    setErrors(outcome.errors ?? {});
    setProblem(outcome.status !== 200);
  };
  return (
    <Dialog name={view.title.text} className="modal" onClose={dismiss}>
      <form
        ref={form}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <header className="dialog-head">
          <span className="app-icon" aria-hidden="true" />
          <h2>{view.title.text}</h2>
          <button type="button" className="dialog-close" aria-label="Close" onClick={dismiss}>
            <Icon name="cross" />
          </button>
        </header>
        <div className="dialog-body">
          {problem && (
            <div className="alert alert-error" role="alert">
              <Icon name="alert" /> We had some trouble connecting. Try again?
            </div>
          )}
          {/* The fake Slack has checked that they are known blocks. */}
          <Blocks blocks={view.blocks as KnownBlock[]} errors={errors} />
        </div>
        <footer className="dialog-foot">
          <button type="button" className="button" onClick={dismiss}>
            {view.close?.text ?? 'Cancel'}
          </button>
          {view.submit && (
            <button type="submit" className="button button-primary" aria-busy={busy} disabled={busy}>
              {view.submit.text}
            </button>
          )}
        </footer>
      </form>
    </Dialog>
  );
}
