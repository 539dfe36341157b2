/**
 * The lines of a stream, as they become whole. What is left unfinished at the end comes as well with `rest`; otherwise the
 * stream was cut in the middle of it, and it is dropped. Leaving the loop early ends the stream.
 */
export async function* linesOf(
  stream: AsyncIterable<Uint8Array | string>,
  options: { rest?: boolean } = {},
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (options.rest && rest !== '') yield rest;
}
