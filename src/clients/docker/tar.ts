/** Headers of tar (POSIX ustar, with pax records for what does not fit in): https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html */

const block = 512;
/** More than any header takes: a path and the target of a link have 4,095 bytes at most. */
export const headerMost = 20 * block;
export type TarEntry = { path: string; mode: number; size: number; type: 'file' | 'link' | 'folder'; link?: string };

/** Eleven octal digits. */
const mostBytes = 8 ** 11 - 1;

/** `digits` of them, with zeros before. */
function octal(into: Uint8Array, value: number, at: number, digits: number): void {
  let left = value;
  for (let place = at + digits - 1; place >= at; place--) {
    into[place] = 48 + (left % 8);
    left = Math.floor(left / 8);
  }
}

function sumOf(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at++) sum += bytes[at] ?? 0;
  return sum;
}

/** What all headers of a type have in common; of nobody's, and of no time, so that the same files make the same tar. */
function blank(type: string): { bytes: Buffer; sum: number } {
  const bytes = Buffer.alloc(block);
  for (const [at, digits] of [
    [108, 7],
    [116, 7],
    [136, 11],
  ] as const)
    octal(bytes, 0, at, digits);
  // The sum counts its own field as blanks.
  bytes.fill(32, 148, 156);
  bytes.write(type, 156, 'latin1');
  bytes.write('ustar\x0000', 257, 'latin1');
  return { bytes, sum: sumOf(bytes, 0, block) };
}

const blanks = { file: blank('0'), link: blank('2'), folder: blank('5'), pax: blank('x') };

/** Texts are given as bytes, a letter each. */
type Fields = { type: keyof typeof blanks; name: string; mode: number; size: number; link: string };

function writeBlock(into: Buffer, at: number, { type, name, mode, size, link }: Fields): void {
  const { bytes, sum } = blanks[type];
  bytes.copy(into, at);
  const named = into.write(name, at, 100, 'latin1');
  octal(into, mode & 0o7777, at + 100, 7);
  octal(into, Math.min(size, mostBytes), at + 124, 11);
  const linked = link === '' ? 0 : into.write(link, at + 157, 100, 'latin1');
  const filled =
    sumOf(into, at, at + named) +
    sumOf(into, at + 100, at + 107) +
    sumOf(into, at + 124, at + 135) +
    sumOf(into, at + 157, at + 157 + linked);
  octal(into, sum + filled, at + 148, 6);
  into[at + 154] = 0;
}

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits. */
function record(key: string, value: string): string {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

export const padding = (size: number): number => (block - (size % block)) % block;
export const tarEnd = Buffer.alloc(block * 2);

const bytesOf = (text: string): string => Buffer.from(text).toString('latin1');
const fits = (text: string): boolean => /^\p{ASCII}{0,100}$/u.test(text);

/** Writes the header of an entry. @returns how long it is, `headerMost` at most */
export function writeHeader(into: Buffer, at: number, { path, mode, size, type, link = '' }: TarEntry): number {
  const name = type === 'folder' ? `${path}/` : path;
  const fields = { type, mode, size };
  if (fits(name) && fits(link) && size <= mostBytes) {
    writeBlock(into, at, { ...fields, name, link });
    return block;
  }
  const records = [
    fits(name) ? '' : record('path', bytesOf(name)),
    fits(link) ? '' : record('linkpath', bytesOf(link)),
    size > mostBytes ? record('size', String(size)) : '',
  ].join('');
  const length = block + records.length + padding(records.length);
  writeBlock(into, at, { type: 'pax', name: 'pax', mode: 0o644, size: records.length, link: '' });
  into.fill(0, at + block, at + length);
  into.write(records, at + block, 'latin1');
  writeBlock(into, at + length, { ...fields, name: bytesOf(name), link: bytesOf(link) });
  return length + block;
}
