import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fault, fault } from '../../core/errors.ts';
import type { Git } from '../../core/ports.ts';
import { checkRef, checkUrl } from './addresses.ts';

const callMs = 60_000;
const mostFiles = 500;
/** What a listing of a large repository may take; blobs have the caller's own limit. */
const listingBytes = 8 * 1_048_576;

/** Nothing of the machine's own Git settings, and no question to a person who isn't there. */
const environment = (home: string) => ({
  PATH: process.env.PATH ?? '',
  HOME: home,
  LC_ALL: 'C',
  GIT_TERMINAL_PROMPT: '0',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ASKPASS: '/bin/false',
  GIT_SSH_COMMAND: 'ssh -o BatchMode=yes -o ConnectTimeout=10',
  GIT_ALLOW_PROTOCOL: 'https:http:ssh',
});

const settings = [
  'http.followRedirects=false',
  'http.lowSpeedLimit=1000',
  'http.lowSpeedTime=20',
  'gc.auto=0',
  'core.hooksPath=/dev/null',
];

type Call = { home: string; signal: AbortSignal; limit: number };

/** Runs git with an array of arguments and answers with what it printed. @throws Error in git's own words */
function git(args: readonly string[], { home, signal, limit }: Call): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const all = [...settings.flatMap((setting) => ['-c', setting]), ...args];
  const over = AbortSignal.any([signal, AbortSignal.timeout(callMs)]);
  const child = spawn('git', all, {
    cwd: home,
    env: environment(home),
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: over,
  });
  const out: Buffer[] = [];
  let [size, err] = [0, ''];
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= limit) return void out.push(chunk);
    child.kill('SIGKILL');
    reject(new Error(`there is more than ${Math.round(limit / 1_024)} KiB of it`));
  });
  child.stderr.on('data', (chunk: Buffer) => {
    if (err.length < 4_000) err += chunk.toString();
  });
  child.once('error', (problem) =>
    reject(over.aborted && !signal.aborted ? new Error('it took more than a minute') : problem),
  );
  child.once('close', (code) => (code === 0 ? resolve(Buffer.concat(out)) : reject(new Error(complaintOf(err)))));
  return promise;
}

/** The last thing that git complained of, in one line. */
function complaintOf(err: string): string {
  const lines = err.split('\n').filter((line) => /^(fatal|error|remote):/.test(line));
  return (lines.at(0) ?? err.split('\n')[0] ?? '').replace(/^(fatal|error|remote): /, '').slice(0, 300) || 'git failed';
}

/** `100644 blob HASH    SIZE\tPATH`, with a NUL after each. Links, submodules and folders are left out. */
function blobsOf(listing: string): { hash: string; path: string }[] {
  return listing.split('\0').flatMap((line) => {
    const [, hash = '', path = ''] = /^100\d{3} blob ([0-9a-f]+) +\d+\t([\s\S]+)$/.exec(line) ?? [];
    return hash === '' ? [] : [{ hash, path }];
  });
}

const read: Git['read'] = async (from, { hosts, accept, limitBytes }, signal) => {
  const failed = (problem: string, cause?: unknown) => fault('GIT_FAILED', { url: from.url, problem }, cause);
  const problem = checkUrl(from.url, hosts) ?? checkRef(from.ref);
  if (problem !== undefined) throw failed(problem);
  const home = await mkdtemp(join(tmpdir(), 'shipmate-git-'));
  const call = (limit: number): Call => ({ home, signal, limit });
  try {
    await git(['init', '--quiet', '--bare', '--', home], call(1_024));
    await git(
      ['fetch', '--quiet', '--depth=1', '--no-tags', '--no-recurse-submodules', '--', from.url, from.ref],
      call(65_536),
    );
    const commit = (await git(['rev-parse', '--verify', 'FETCH_HEAD^{commit}'], call(1_024))).toString().trim();
    const path = from.path.replace(/^\/+|\/+$/g, '');
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

/** Git through the program of that name: each read in a folder of its own that is gone afterwards. */
export function createGit(): Git {
  return { read };
}
