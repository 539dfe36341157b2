import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type GitServer = {
  /** `http://127.0.0.1:PORT`, which is also what an allow-list calls it. */
  origin: string;
  /** Commits files to the repository's branch, and answers with the commit. A value of `-> x` is a symbolic link to x. */
  commit(repository: string, branch: string, files: Record<string, string>): Promise<string>;
  stop(): Promise<void>;
};

/** Git over HTTP as servers speak it: the real `git http-backend` behind a small gateway. */
export async function startGitServer(): Promise<GitServer> {
  const root = await mkdtemp(join(tmpdir(), 'shipmate-git-server-'));
  const { stdout: core } = await run('git', ['--exec-path']);
  const server = createServer((request, response) => {
    const [path = '', query = ''] = (request.url ?? '').split('?');
    if (path.startsWith('/moved')) return response.writeHead(302, { location: `http://127.0.0.1:1${path}` }).end();
    if (path.startsWith('/slow')) return;
    const backend = spawn(join(core.trim(), 'git-http-backend'), {
      env: {
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: path,
        QUERY_STRING: query,
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      },
    });
    request.pipe(backend.stdin);
    const chunks: Buffer[] = [];
    backend.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    backend.once('close', () => {
      const all = Buffer.concat(chunks);
      const end = all.indexOf('\r\n\r\n');
      const headers = all
        .subarray(0, end)
        .toString()
        .split('\r\n')
        .map((line) => line.split(': ') as [string, string]);
      const status = Number(headers.find(([name]) => name === 'Status')?.[1]?.slice(0, 3) ?? 200);
      response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== 'Status')));
      response.end(all.subarray(end + 4));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;

  return {
    origin: `http://127.0.0.1:${port}`,
    commit: async (repository, branch, files) => {
      const work = join(root, `${repository}-work`);
      await mkdir(work, { recursive: true });
      const git = async (...args: string[]) =>
        (
          await run('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd: work })
        ).stdout.trim();
      await git('init', '--quiet', '-b', branch);
      for (const [name, text] of Object.entries(files)) {
        const path = join(work, name);
        await mkdir(dirname(path), { recursive: true });
        await rm(path, { force: true });
        if (text.startsWith('-> ')) await symlink(text.slice(3), path);
        else await writeFile(path, text);
      }
      await git('add', '--all');
      await git('commit', '--quiet', '-m', 'x');
      const bare = join(root, `${repository}.git`);
      await run('git', ['init', '--quiet', '--bare', bare]);
      await git('push', '--quiet', '--force', bare, `HEAD:refs/heads/${branch}`);
      return await git('rev-parse', 'HEAD');
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
