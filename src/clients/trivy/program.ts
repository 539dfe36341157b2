import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMissing, readInside, UnfitFile } from '../../files/regular-file.ts';
import { startProgram } from '../../processes/program.ts';

const prefix = 'shipmate-scan-';
/** A folder this old was left behind by a process that was killed. */
const leftMs = 3 * 60 * 60_000;
const longestComplaint = 8_000;

/** Does something in a folder of its own, which is gone afterwards; so are those that killed processes left. */
export async function inFolder<Result>(act: (folder: string) => Promise<Result>): Promise<Result> {
  const left = (await readdir(tmpdir())).filter((name) => name.startsWith(prefix));
  for (const path of left.map((name) => join(tmpdir(), name))) {
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > leftMs) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
  const folder = await mkdtemp(join(tmpdir(), prefix));
  try {
    return await act(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** How a program ended that could not do what it was asked. */
export class Complaint extends Error {
  override name = 'Complaint';
}

/** The words of Trivy's last fatal line, without its time stamp. */
function complaintOf(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const panic = lines.find((line) => /^(panic|fatal error): /.test(line));
  const fatal = panic ?? lines.findLast((line) => /\b(FATAL|ERROR)\b/.test(line)) ?? lines.at(-1) ?? 'it said nothing';
  return fatal
    .replace(/^\S+\s+(FATAL|ERROR)\s+/, '')
    .replace(/^Fatal error\s+/, '')
    .slice(-300);
}

type Call = { program: string; folder: string; env: Record<string, string>; signal: AbortSignal };

/**
 * Runs a program with an array of arguments, in a folder and with no more of this process's environment than it needs. Its
 * output is bounded, and it is killed with the signal.
 * @throws Complaint where it ends badly; Error (ENOENT, …) where it can't be started
 */
export async function runProgram(args: readonly string[], { program, folder, env, signal }: Call): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = startProgram(program, args, {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, TMPDIR: folder, LC_ALL: 'C', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (said.length < longestComplaint) said += chunk.toString();
  });
  let failure: Error | undefined;
  child.once('error', (problem) => {
    failure = problem;
    // A program that was never started does not end either.
    if (child.pid === undefined) reject(problem);
  });
  child.once('exit', (code, by) => {
    if (failure) reject(failure);
    else if (code === 0) resolve();
    else reject(new Complaint(by ? `it was ended by ${by}` : complaintOf(said)));
  });
  await promise;
}

/** A file that a program wrote into its folder. @throws Complaint where it is not there, or too large to be held */
export function outputOf(folder: string, name: string, limitBytes: number): Buffer {
  try {
    return readInside(folder, name, limitBytes);
  } catch (thrown) {
    if (isMissing(thrown)) throw new Complaint('it wrote no result');
    throw thrown instanceof UnfitFile ? new Complaint(`its result ${thrown.message}`) : thrown;
  }
}
