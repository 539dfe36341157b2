import { useState } from 'react';

/** As the console's server takes them; Slack takes ten with a message too. */
const most = { files: 10, bytes: 5 * 1_048_576 };

/** The files that are to go with what is being written. */
export function useFiles() {
  const [files, setFiles] = useState<readonly File[]>([]);
  const [problem, setProblem] = useState<string>();
  const add = (more: Iterable<File>) => {
    const all = [...files, ...more];
    const tooMuch = all.length > most.files || all.reduce((sum, { size }) => sum + size, 0) > most.bytes;
    setProblem(tooMuch ? 'At most 10 files, of 5 MiB together.' : undefined);
    if (!tooMuch) setFiles(all);
  };
  const remove = (file: File) => {
    setProblem(undefined);
    setFiles(files.filter((other) => other !== file));
  };
  const clear = () => setFiles([]);
  return { files, problem, add, remove, clear };
}

/** A file as it goes to the console's server. */
export function onTheWire(file: File): Promise<{ name: string; base64: string }> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    // A data URL: `data:text/yaml;base64,…`.
    reader.onload = () => resolve({ name: file.name, base64: String(reader.result).replace(/^[^,]*,/, '') });
    reader.onerror = () => reject(new Error(`${file.name} could not be read`));
    reader.readAsDataURL(file);
  });
}
