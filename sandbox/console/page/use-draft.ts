import { useEffect, useLayoutEffect, useRef, useState } from 'react';

const tallest = 240;

/** A text with a caret that grows with what is written; `tried` puts a line there from elsewhere. */
export function useDraft(tried: { line: string } | undefined) {
  const input = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState('');
  const [caret, setCaret] = useState(0);
  const write = (words: string, at = words.length) => {
    setText(words);
    setCaret(at);
    input.current?.focus();
    requestAnimationFrame(() => input.current?.setSelectionRange(at, at));
  };
  const latest = useRef(write);
  latest.current = write;
  useEffect(() => {
    if (tried) latest.current(tried.line);
  }, [tried]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: grows with the text
  useLayoutEffect(() => {
    const { current } = input;
    if (!current) return;
    current.style.height = 'auto';
    current.style.height = `${Math.min(current.scrollHeight, tallest)}px`;
  }, [text]);
  return { input, text, caret, write, setText, setCaret };
}
