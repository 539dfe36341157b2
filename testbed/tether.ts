/**
 * The same command, but killed by the kernel should this process end before it, however that comes (on Linux;
 * elsewhere it is left as it is). For what is not part of a bed: a bed's parts have the reaper.
 */
export function tethered(program: string, args: string[]): [string, string[]] {
  if (process.platform !== 'linux') return [program, args];
  return ['setpriv', ['--pdeathsig', 'KILL', '--', program, ...args]];
}
