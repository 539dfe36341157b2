import { useRef } from 'react';
import { Icon } from './icons.tsx';

/** Opens the machine's own choice of files. */
export function AttachButton({ onFiles }: { onFiles(files: Iterable<File>): void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" aria-label="Attach files" title="Attach files" onClick={() => input.current?.click()}>
        <Icon name="clip" />
      </button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        onChange={({ currentTarget }) => {
          onFiles(currentTarget.files ?? []);
          // The same file may be chosen again after it was taken away.
          currentTarget.value = '';
        }}
      />
    </>
  );
}

/** What is attached so far, each with a way to take it back. */
export const AttachedFiles = ({ files, onRemove }: { files: readonly File[]; onRemove(file: File): void }) => (
  <ul className="attached" aria-label="Attached files">
    {files.map((file, index) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: two files may have one name
      <li key={index}>
        <Icon name="file" /> {file.name}
        <button type="button" aria-label={`Remove ${file.name}`} title="Remove" onClick={() => onRemove(file)}>
          <Icon name="cross" />
        </button>
      </li>
    ))}
  </ul>
);
