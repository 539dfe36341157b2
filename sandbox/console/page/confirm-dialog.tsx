import type { Confirm } from '@slack/types';
import { Text } from './blocks/mrkdwn.tsx';
import { Dialog } from './dialog.tsx';
import { Icon } from './icons.tsx';

type Props = { confirm: Confirm; onYes(): void; onNo(): void };

/** Asks before a click counts. */
export function ConfirmDialog({ confirm: { title, text, confirm, deny, style }, onYes, onNo }: Props) {
  const name = title?.text ?? 'Are you sure?';
  return (
    <Dialog name={name} className="confirm" onClose={onNo}>
      <header className="dialog-head">
        <h2>{name}</h2>
        <button type="button" className="dialog-close" aria-label="Close" onClick={onNo}>
          <Icon name="cross" />
        </button>
      </header>
      <div className="dialog-body">
        <Text text={text} />
      </div>
      <footer className="dialog-foot">
        <button type="button" className="button" onClick={onNo}>
          {deny?.text ?? 'Cancel'}
        </button>
        <button type="button" className={`button button-${style === 'danger' ? 'danger' : 'primary'}`} onClick={onYes}>
          {confirm?.text ?? 'Yes'}
        </button>
      </footer>
    </Dialog>
  );
}
