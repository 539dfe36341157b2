import { createHash } from 'node:crypto';

/**
 * Takes Docker's two streams out of one: each frame is `[stream, 0, 0, 0, length in 4 bytes]` and so many bytes, and a chunk
 * may end anywhere in it. https://docs.docker.com/reference/api/engine/ (ContainerAttach)
 */
export function createFrames(heard: (part: Buffer) => void): (chunk: Buffer) => void {
  let head = Buffer.alloc(0);
  let left = 0;
  return (chunk) => {
    let rest = chunk;
    while (rest.length > 0) {
      if (left > 0) {
        const part = rest.subarray(0, left);
        heard(part);
        left -= part.length;
        rest = rest.subarray(part.length);
        continue;
      }
      const wanted = 8 - head.length;
      head = Buffer.concat([head, rest.subarray(0, wanted)]);
      rest = rest.subarray(wanted);
      if (head.length < 8) return;
      left = head.readUInt32BE(4);
      head = Buffer.alloc(0);
    }
  };
}

/** Output of which only the beginning is kept, with size and hash of all of it. */
export function createKept(limitBytes: number) {
  const hash = createHash('sha256');
  const parts: Buffer[] = [];
  let [bytes, kept] = [0, 0];
  return {
    add(part: Buffer): void {
      hash.update(part);
      bytes += part.length;
      const fits = part.subarray(0, limitBytes - kept);
      kept += fits.length;
      if (fits.length > 0) parts.push(Buffer.from(fits));
    },
    end: () => ({
      output: new TextDecoder().decode(Buffer.concat(parts)),
      cut: bytes > kept,
      bytes,
      sha256: hash.digest('hex'),
    }),
  };
}
