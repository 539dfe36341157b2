import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fault, fault } from '../../core/errors.ts';
import type { Git } from '../../core/ports.ts';
import { checkRef, checkUrl } from './addresses.ts';
import { createCheckout, fetched } from './checkout.ts';
import { type Call, git, type Login, proofFor } from './run.ts';

const mostFiles = 500;
/** All of a commit comes, whatever of it is read: so much of a disk it may take. */
const fetchBytes = 1_024 * 1_048_576;
/** What a listing of a large repository may take; blobs have the caller's own limit. */
const listingBytes = 8 * 1_048_576;

/** `100644 blob HASH    SIZE\tPATH`, with a NUL after each. Links, submodules and folders are left out. */
function blobsOf(listing: string): { hash: string; path: string }[] {
  return listing.split('\0').flatMap((line) => {
    const [, hash = '', path = ''] = /^100\d{3} blob ([0-9a-f]+) +\d+\t([\s\S]+)$/.exec(line) ?? [];
    return hash === '' ? [] : [{ hash, path }];
  });
}

const createRead =
  (login: (host: string) => Login | undefined): Git['read'] =>
  async (from, { hosts, accept, limitBytes }, signal) => {
    const failed = (problem: string, cause?: unknown) => fault('GIT_FAILED', { url: from.url, problem }, cause);
    const problem = checkUrl(from.url, hosts) ?? checkRef(from.ref);
    if (problem !== undefined) throw failed(problem);
    const home = await mkdtemp(join(tmpdir(), 'shipmate-git-'));
    const call = (limit: number): Call => ({ home, signal, limit });
    try {
      await git(['init', '--quiet', '--bare', '--', home], call(1_024));
      const options = ['--quiet', '--depth=1', '--no-tags', '--no-recurse-submodules'];
      const fetch = { ...call(65_536), ...proofFor(from.url, login) };
      await fetched(['fetch', ...options, '--', from.url, from.ref], fetch, fetchBytes);
      const commit = (await git(['rev-parse', '--verify', 'FETCH_HEAD^{commit}'], call(1_024))).toString().trim();
      const path = from.path.replace(/^\/+|(?<!\/)\/+$/g, '');
      const listed = await git(
        ['ls-tree', '-r', '-z', '--long', commit, '--', ...(path ? [path] : [])],
        call(listingBytes),
      );
      const blobs = blobsOf(listed.toString()).filter((blob) => accept(blob.path));
      if (blobs.length === 0) throw failed(`there is no manifest below “${path || '/'}” at ${from.ref}`);
      if (blobs.length > mostFiles)
        throw failed(`there are ${blobs.length} files below “${path}”; ${mostFiles} is the most`);
      const files: { path: string; text: string }[] = [];
      let left = limitBytes;
      for (const blob of blobs) {
        const bytes = await git(['cat-file', 'blob', blob.hash], call(left));
        left -= bytes.length;
        files.push({ path: blob.path, text: bytes.toString('utf8') });
      }
      return { commit, files };
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof Fault) throw thrown;
      throw failed(thrown instanceof Error ? thrown.message : String(thrown), thrown);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  };

/** Git through the program of that name: each read in a folder of its own that is gone afterwards. `login` says who it is to a host. */
export function createGit(login: (host: string) => Login | undefined = () => undefined): Git {
  return { read: createRead(login), checkout: createCheckout(login) };
}
