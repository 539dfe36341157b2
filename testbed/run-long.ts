import { spawn } from 'node:child_process';

/**
 * Runs a program to its end, saying after two seconds and then every five that it is still at it, and at what.
 * It ends with this process. @throws Error with its last words
 */
export async function runLong(
  what: string,
  program: string,
  args: string[],
  log: (line: string) => void,
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<void> {
  const began = Date.now();
  const seconds = () => Math.round((Date.now() - began) / 1_000);
  let said = '';
  const progress = () =>
    log(`${what} … ${seconds()} s  ${said.trimEnd().split('\n').at(-1)?.slice(0, 80) ?? ''}`.trimEnd());
  const first = setTimeout(progress, 2_000);
  const later = setInterval(progress, 5_000);
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const hear = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_000);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  }).finally(() => {
    clearTimeout(first);
    clearInterval(later);
  });
  if (code !== 0) throw new Error(`${what} failed (${program} ${args.join(' ')}):\n${said}`);
  if (Date.now() - began > 2_000) log(`${what}: done in ${seconds()} s`);
}
