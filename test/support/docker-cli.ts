import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { bed } from './bed.ts';

/** What the `docker` command sees on the bed's daemon: the judge of what Shipmate did there. */
export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('docker', ['--host', bed.dockerHost, ...args]);
  return stdout.trim();
}

/** The same where it may fail: its complaint. */
export async function dockerSays(...args: string[]): Promise<string> {
  return await docker(...args).catch((thrown: unknown) => String(thrown));
}
