/** Headers of tar (POSIX ustar, with pax records for what does not fit in): https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html */

const block = 512;
export type TarEntry = { path: string; mode: number; size: number; type: 'file' | 'link' | 'folder'; link?: string };

const types = { file: '0', link: '2', folder: '5' };
/** Eleven octal digits. */
const mostBytes = 8 ** 11 - 1;

function octal(into: Buffer, value: number, offset: number, length: number): void {
  into.write(value.toString(8).padStart(length - 1, '0'), offset, length - 1, 'latin1');
}

function headerOf(name: Buffer, type: string, mode: number, size: number, link: Buffer): Buffer {
  const header = Buffer.alloc(block);
  name.copy(header, 0, 0, 100);
  octal(header, mode & 0o7777, 100, 8);
  octal(header, 0, 108, 8);
  octal(header, 0, 116, 8);
  octal(header, Math.min(size, mostBytes), 124, 12);
  octal(header, 0, 136, 12);
  header.write(type, 156, 'latin1');
  link.copy(header, 157, 0, 100);
  header.write('ustar\x0000', 257, 'latin1');
  header.fill(32, 148, 156);
  let sum = 0;
  for (const byte of header) sum += byte;
  octal(header, sum, 148, 7);
  header[154] = 0;
  header[155] = 32;
  return header;
}

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits. */
function record(key: string, value: Buffer): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from('\n')]);
}

export const padding = (size: number): number => (block - (size % block)) % block;
export const tarEnd = Buffer.alloc(block * 2);

const plain = (text: Buffer) => text.length <= 100 && text.every((byte) => byte < 128);

/** The header of an entry; of nobody's, and of no time, so that the same files make the same tar. */
export function tarHeader({ path, mode, size, type, link = '' }: TarEntry): Buffer {
  const [name, target] = [Buffer.from(type === 'folder' ? `${path}/` : path), Buffer.from(link)];
  const records = [
    ...(plain(name) ? [] : [record('path', name)]),
    ...(plain(target) ? [] : [record('linkpath', target)]),
    ...(size > mostBytes ? [record('size', Buffer.from(String(size)))] : []),
  ];
  const header = headerOf(name, types[type], mode, size, target);
  if (records.length === 0) return header;
  const body = Buffer.concat(records);
  const extended = headerOf(Buffer.from('pax'), 'x', 0o644, body.length, Buffer.alloc(0));
  return Buffer.concat([extended, body, Buffer.alloc(padding(body.length)), header]);
}
