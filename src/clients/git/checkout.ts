import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fault, fault } from '../../core/errors.ts';
import type { Git } from '../../core/ports.ts';
import { either } from '../../core/within.ts';
import { checkRef, checkUrl } from './addresses.ts';
import { type Call, git, type Login, proofFor } from './run.ts';

const fetchMs = 10 * 60_000;
const listingBytes = 64 * 1_048_576;
const lookMs = 500;

const megabytes = (bytes: number) => `${Math.round(bytes / 1_048_576)} MiB`;
const tooMuch = (limit: number) => new Error(`there is more than ${megabytes(limit)} of it`);

async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Fetches one commit; what grows beyond the limit while it comes is not waited for. */
export async function fetched(args: readonly string[], call: Call, limitBytes: number): Promise<void> {
  const over = new AbortController();
  const watch = setInterval(async () => {
    if ((await sizeOf(join(call.home, 'objects', 'pack'))) > limitBytes) over.abort(tooMuch(limitBytes));
  }, lookMs);
  try {
    await git(args, { ...call, ms: fetchMs, signal: either(call.signal, over.signal) });
  } catch (thrown) {
    throw over.signal.aborted ? over.signal.reason : thrown;
  } finally {
    clearInterval(watch);
  }
}

/** How much of it there is, as `ls-tree --long` has it. */
const bytesIn = (listing: string): number =>
  listing.split('\0').reduce((sum, line) => sum + Number(/^\d+ blob [0-9a-f]+ +(\d+)\t/.exec(line)?.[1] ?? 0), 0);

/** @see Git.checkout */
export function createCheckout(login: (host: string) => Login | undefined): Git['checkout'] {
  return async (from, { folder, hosts, limitBytes }, signal) => {
    const failed = (problem: string, cause?: unknown) => fault('GIT_FAILED', { url: from.url, problem }, cause);
    const problem = checkUrl(from.url, hosts) ?? checkRef(from.ref);
    if (problem !== undefined) throw failed(problem);
    const path = from.path.replace(/^[./]+$/, '').replace(/^\.?\/+|(?<!\/)\/+$/g, '');
    if (path.split('/').includes('..')) throw failed(`“${from.path}” leaves the repository`);
    const home = await mkdtemp(join(tmpdir(), 'shipmate-git-'));
    const call = (limit: number): Call => ({ home, signal, limit });
    const said = async (...args: string[]) => (await git(args, call(listingBytes))).toString();
    try {
      await said('init', '--quiet', '--bare', '--', home);
      const options = ['--quiet', '--depth=1', '--no-tags', '--no-recurse-submodules'];
      const fetch = { ...call(65_536), ...proofFor(from.url, login) };
      await fetched(['fetch', ...options, '--', from.url, from.ref], fetch, limitBytes);
      const commit = (await said('rev-parse', '--verify', 'FETCH_HEAD^{commit}')).trim();
      const tree = (
        await said('rev-parse', '--verify', '--end-of-options', `${commit}:${path}`).catch(() => '')
      ).trim();
      if ((await said('cat-file', '-t', tree || '0').catch(() => '')).trim() !== 'tree')
        throw new Error(`there is no folder “${path}” at ${from.ref}`);
      if (bytesIn(await said('ls-tree', '-r', '-z', '--long', tree)) > limitBytes) throw tooMuch(limitBytes);
      const committed = Number(await said('show', '-s', '--format=%ct', commit));
      await mkdir(folder, { recursive: true });
      await said('read-tree', tree);
      await git([`--work-tree=${folder}`, 'checkout-index', '--all', '--quiet', `--prefix=${folder}/`], {
        ...call(65_536),
        ms: fetchMs,
      });
      return { commit, committedAt: committed * 1_000 };
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof Fault) throw thrown;
      throw failed(thrown instanceof Error ? thrown.message : String(thrown), thrown);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  };
}
