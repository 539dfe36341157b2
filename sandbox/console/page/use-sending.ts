import { useState } from 'react';
import { useDesk } from './desk.ts';
import { onTheWire } from './use-files.ts';

/** Sends lines to a channel or a thread, remembers them for the arrow keys, and says what went wrong. */
export function useSending(channel: string, thread: string | undefined) {
  const { act } = useDesk();
  const [sent, setSent] = useState<readonly string[]>([]);
  const [problem, setProblem] = useState<string>();
  /** Whether the line went off, and the draft is to be emptied. */
  const send = (words: string, files: readonly File[]): boolean => {
    const [command = ''] = words.split(/\s/);
    const isCommand = command.startsWith('/');
    if (isCommand && thread !== undefined) {
      setProblem(`${command} does not work in threads. Mention @shipmate instead.`);
      return false;
    }
    if (isCommand && files.length > 0) {
      setProblem(`Slack gives ${command} no files. Mention @shipmate instead.`);
      return false;
    }
    setProblem(undefined);
    if (words !== '') setSent([words, ...sent.filter((line) => line !== words)]);
    const say = async () =>
      await act({
        kind: 'say',
        channel,
        text: words,
        files: await Promise.all(files.map(onTheWire)),
        ...(thread && { thread }),
      });
    const done = isCommand ? act({ kind: 'command', channel, line: words }) : say();
    done.catch(() => setProblem('That could not be sent. Is the sandbox still running?'));
    return true;
  };
  /** The line sent before (1) or after (-1) the one that stands there; undefined where it was not sent. */
  const recall = (text: string, step: 1 | -1): string | undefined => {
    const at = sent.indexOf(text);
    if (at === -1 && (text !== '' || step === -1)) return undefined;
    return sent[at + step] ?? (step === -1 ? '' : undefined);
  };
  return { send, recall, problem };
}
