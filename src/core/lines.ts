/** What has no end is told in pieces of this length: larger than any object that an API server tells of. */
const longest = 16 * 1_048_576;

/**
 * The lines of a stream, as they become whole. What is left unfinished at the end comes as well with `rest`; otherwise the
 * stream was cut in the middle of it, and it is dropped. Leaving the loop early ends the stream.
 */
export async function* linesOf(
  stream: AsyncIterable<Uint8Array | string>,
  options: { rest?: boolean } = {},
): AsyncGenerator<string> {
  // Node takes away a mark of byte order also in the middle of a text, where a part begins with it.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let rest = '';
  for await (const chunk of stream) {
    const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const parts = text.split('\n');
    parts[0] = rest + (parts[0] ?? '');
    rest = parts.pop() ?? '';
    yield* parts;
    if (rest.length <= longest) continue;
    yield rest;
    rest = '';
  }
  if (options.rest && rest !== '') yield rest;
}
