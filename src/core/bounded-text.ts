/** The text of a body that comes in pieces. @throws Error where it is larger than `most` bytes; what is left is not read */
export async function boundedText(body: AsyncIterable<Uint8Array>, most: number): Promise<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let [text, size] = ['', 0];
  for await (const part of body) {
    size += part.byteLength;
    if (size > most) throw new Error(`it is larger than ${Math.round(most / 1_024)} KiB`);
    text += decoder.decode(part, { stream: true });
  }
  return (text + decoder.decode()).replace(/^\ufeff/, '');
}
