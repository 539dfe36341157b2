import {
  type ChildProcess,
  type ChildProcessByStdio,
  type SpawnOptions,
  type SpawnOptionsWithStdioTuple,
  type StdioNull,
  type StdioPipe,
  spawn,
} from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

/**
 * Starts a program with an array of arguments. Its `error` and those of its pipes are heard from the first moment, so that a program
 * that cannot be started or killed, or a pipe that breaks, never ends this process; whoever needs to know listens as well.
 */
export function startProgram(
  program: string,
  args: readonly string[],
  options: SpawnOptionsWithStdioTuple<StdioPipe, StdioPipe, StdioPipe>,
): ChildProcessByStdio<Writable, Readable, Readable>;
export function startProgram(
  program: string,
  args: readonly string[],
  options: SpawnOptionsWithStdioTuple<StdioNull, StdioPipe, StdioPipe>,
): ChildProcessByStdio<null, Readable, Readable>;
export function startProgram(
  program: string,
  args: readonly string[],
  options: SpawnOptionsWithStdioTuple<StdioNull, StdioNull, StdioPipe>,
): ChildProcessByStdio<null, null, Readable>;
export function startProgram(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(program, args, options);
  // Where this process may open no more files it has no pipes, whatever its type says.
  const pipes: ChildProcess['stdio'] | undefined = child.stdio;
  for (const each of [child, ...(pipes ?? [])]) each?.on('error', () => {});
  return child;
}
