import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, type Stats } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';

/**
 * The one way in which this program reads a file: regular ones alone, and never more than the caller can hold. A device such as
 * /dev/zero never ends, and to open a pipe waits until somebody writes; both stop the whole process, so they are told by the open
 * handle before anything is read. `test/architecture.test.ts` keeps every other way out.
 */

/** There is something under that name, and it is not read. The message goes on after the name: “is a link”. */
export class UnfitFile extends Error {
  override name = 'UnfitFile';
}

/** A pipe is not waited for, and no terminal becomes this process's own. */
const plain = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
const portion = 65_536;

const sizeText = (bytes: number): string =>
  bytes >= 1_048_576 ? `${Math.round(bytes / 1_048_576)} MiB` : `${Math.round(bytes / 1_024)} KiB`;

const codeOf = (thrown: unknown): unknown => (thrown instanceof Error && 'code' in thrown ? thrown.code : undefined);

/** Whether it is because there is nothing of that name. */
export const isMissing = (thrown: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(String(codeOf(thrown)));

function opened(path: string, flags: number): { handle: number; stat: Stats } {
  const handle = openSync(path, flags);
  try {
    const stat = fstatSync(handle);
    if (!stat.isFile()) throw new UnfitFile(`is ${stat.isDirectory() ? 'a folder' : 'no regular file'}`);
    return { handle, stat };
  } catch (thrown) {
    closeSync(handle);
    throw thrown;
  }
}

/** What a file says of its own size is not believed: it may grow meanwhile, and those of /proc say 0. */
function contentOf({ handle, stat }: { handle: number; stat: Stats }, limitBytes: number): Buffer {
  try {
    const tooLarge = () => new UnfitFile(`is larger than ${sizeText(limitBytes)}`);
    if (stat.size > limitBytes) throw tooLarge();
    const parts: Buffer[] = [];
    for (let total = 0; ; ) {
      const part = Buffer.allocUnsafe(Math.max(1, Math.min(portion, limitBytes + 1 - total)));
      const read = readSync(handle, part);
      if (read === 0) return Buffer.concat(parts);
      total += read;
      if (total > limitBytes) throw tooLarge();
      parts.push(part.subarray(0, read));
    }
  } finally {
    closeSync(handle);
  }
}

/**
 * Opens a file that may be anybody's, for a caller who reads it in parts and closes it. @throws UnfitFile where it is a link or
 * not regular; the file system's own error
 */
export function openOutside(path: string): { handle: number; stat: Stats } {
  try {
    return opened(path, plain | constants.O_NOFOLLOW);
  } catch (thrown) {
    // Linux says ELOOP of a link that it was told not to follow, FreeBSD EMLINK.
    throw ['ELOOP', 'EMLINK'].includes(String(codeOf(thrown))) ? new UnfitFile('is a link') : thrown;
  }
}

/** Whether a path leads out of the folder that it is relative to. */
export const leavesFolder = (path: string): boolean => path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path);

/**
 * Reads a file that others may have made, in a folder such as a build context: no link is followed to it, and the folders on the
 * way to it lie in `root` after links.
 * @throws UnfitFile; the file system's own error
 */
export function readInside(root: string, path: string, limitBytes: number): Buffer {
  const whole = resolve(root, path);
  const [from, folder] = [realpathSync(root), realpathSync(dirname(whole))];
  if (leavesFolder(relative(root, whole)) || leavesFolder(relative(from, folder)))
    throw new UnfitFile('lies outside of it');
  return contentOf(openOutside(join(folder, basename(whole))), limitBytes);
}

/**
 * Reads a file that the operator of this process named: settings, keys, kubeconfigs. A link is followed, since Kubernetes mounts
 * ConfigMaps and Secrets as links.
 * @throws UnfitFile; the file system's own error
 */
export const readGiven = (path: string, limitBytes: number): Buffer => contentOf(opened(path, plain), limitBytes);

/** Opens a file that the operator named and that may be of any size, for a stream. @throws as readGiven */
export const openGiven = (path: string): number => opened(path, plain).handle;
