import { useLayoutEffect, useRef, useState } from 'react';

const tallest = 240;

/** A text with a caret that grows with what is written; `tried` puts a line there from elsewhere. */
export function useDraft(tried: { line: string } | undefined) {
  const input = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState('');
  const [caret, setCaret] = useState(0);
  // The caret moves with the text in one go: later, it would jump back under somebody who types on.
  const moveTo = useRef<number>(undefined);
  const write = (words: string, at = words.length) => {
    setText(words);
    setCaret(at);
    moveTo.current = at;
    input.current?.focus();
  };
  /** The text as the person typing has it, and the caret with it. */
  const edit = (words: string, at: number) => {
    moveTo.current = undefined;
    setText(words);
    setCaret(at);
  };
  const latest = useRef(write);
  latest.current = write;
  useLayoutEffect(() => {
    if (tried) latest.current(tried.line);
  }, [tried]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever the text has changed
  useLayoutEffect(() => {
    const { current } = input;
    if (!current) return;
    if (moveTo.current !== undefined) current.setSelectionRange(moveTo.current, moveTo.current);
    moveTo.current = undefined;
    current.style.height = 'auto';
    current.style.height = `${Math.min(current.scrollHeight, tallest)}px`;
  }, [text]);
  return { input, text, caret, write, edit, setCaret };
}
