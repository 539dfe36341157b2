import fc from 'fast-check';
import { Fault } from '../src/core/errors.ts';
import { whole } from './inputs.ts';

/** A parser of bytes from outside, and what must hold of it whatever they are. */
export type Target = {
  name: string;
  /** What holds, as a sentence about it. */
  promise: string;
  property: () => fc.IAsyncProperty<[unknown]>;
  /** The input that is made of a seed at a place: to show one that never came to its end. */
  inputAt: (seed: number, path: string) => string;
};

type Refusal = new (...args: never[]) => Error;

const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

async function timed(act: () => unknown): Promise<number> {
  const before = cpuMs();
  await act();
  return cpuMs() - before;
}

export type Options = {
  /** The most that it may take of the processor: time on the wall says nothing on a machine that is busy. */
  ms?: number;
  /** What it may throw besides a Fault. */
  refuses?: readonly Refusal[];
};

/**
 * It ends within its time, and answers with a value or a Fault; `run` looks at what else must hold of the value, with `holds`.
 */
export function target<Input>(
  name: string,
  promise: string,
  input: fc.Arbitrary<Input>,
  run: (input: Input) => unknown,
  { ms = 200, refuses = [] }: Options = {},
): Target {
  const known: readonly Refusal[] = [Fault, ...refuses];
  const once = async (value: Input): Promise<void> => {
    try {
      await run(whole(value));
    } catch (thrown) {
      if (thrown instanceof Broken || !known.some((kind) => thrown instanceof kind)) throw thrown;
    }
  };
  const property = fc.asyncProperty(input, async (value) => {
    let took = await timed(() => once(value));
    // The first time of all, and a clearing of memory in the middle of it, count for nothing.
    for (let again = 0; took > ms && again < 2; again++) took = Math.min(took, await timed(() => once(value)));
    if (took > ms) throw new Error(`It took ${Math.round(took)} ms of the processor; ${ms} is the most.`);
  });
  return {
    name,
    promise,
    // It is asked for with its own input alone.
    property: () => property as fc.IAsyncProperty<[unknown]>,
    inputAt: (seed, path) => fc.stringify(fc.sample(input, { seed, path, numRuns: 1 })[0]),
  };
}

class Broken extends Error {}

/** What must hold of a value; where it does not, that is a finding. */
export function holds(is: boolean, what: string): void {
  if (!is) throw new Broken(what);
}
