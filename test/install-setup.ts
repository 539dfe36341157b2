import { ensurePackages } from '../testbed/packages.ts';

/** Unit tests use at most a Redis of their own. */
export async function setup(): Promise<void> {
  await ensurePackages(['redis'], (line) => console.log(`[bed] ${line}`));
}
