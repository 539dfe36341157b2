import { type ReactNode, useEffect, useRef } from 'react';

type Props = { name: string; className: string; onClose(): void; children: ReactNode };

/** A window over the page: holds the focus, and Escape closes it. */
export function Dialog({ name, className, onClose, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const { current } = ref;
    current?.showModal();
    return () => current?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      className={`dialog ${className}`}
      aria-label={name}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      {children}
    </dialog>
  );
}
