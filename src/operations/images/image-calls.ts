import type { ImageCall } from '../../core/build.ts';
import { fault } from '../../core/errors.ts';
import { parseImage } from '../../core/image.ts';
import type { RunContext, StepContext } from '../../core/operation.ts';
import type { Report } from '../../core/report.ts';
import { tagsOn } from './tags-on.ts';

const megabytes = (bytes: number) => `${Math.round(bytes / 104_857.6) / 10} MB`;

/** Does one call; doing it again does nothing more. */
async function doCall(
  { on, id }: RunContext<'registry', 'copy'>,
  call: ImageCall,
  { signal, note, log }: StepContext,
): Promise<string> {
  switch (call.kind) {
    case 'copy': {
      const { from, to, digest, replaces } = call;
      const there = await on.registry.digest(to, signal);
      if (there !== digest && there !== replaces) throw fault('ANOTHER_BY_NOW', { kind: 'image', name: to });
      const seen = (text: string) => {
        note(text);
        log(text);
      };
      const { sentBytes, keptBytes } = await on.registry.copy(from, digest, to, seen, signal);
      const found = await on.registry.resolve(to, '', signal);
      const { registry = 'docker.io' } = parseImage(to);
      if (found !== digest)
        throw fault('REGISTRY_REFUSED', {
          registry,
          problem: `it has ${found.slice(0, 19)} under ${to}, and ${digest.slice(0, 19)} was put there`,
        });
      const copied =
        sentBytes + keptBytes === 0 ? '' : ` (${megabytes(sentBytes)} copied, ${megabytes(keptBytes)} there already)`;
      log(`${to}: ${digest}${copied}`);
      return to;
    }
    case 'delete': {
      const { repository, digest, tags } = call;
      const others = (await tagsOn(on.registry, repository, digest, signal)).filter((tag) => !tags.includes(tag));
      if (others.length > 0)
        throw fault('ANOTHER_BY_NOW', {
          kind: 'image',
          name: `${repository}:${tags[0]} (now ${others.join(', ')} too)`,
        });
      const gone = await on.registry.remove(call.repository, call.digest, signal);
      log(`${call.repository}@${call.digest}: ${gone ? 'deleted' : 'was gone already'}`);
      return `${call.repository}@${call.digest.slice(0, 19)}`;
    }
    case 'push':
    case 'sign':
      throw fault('INTERNAL', { problem: `a ${call.kind} among copies`, run: id });
    default:
      return call satisfies never;
  }
}

export const imageSteps = ['copy'] as const;

/** Does the plan's changes in registries, one after the other. */
export async function doImageCalls(run: RunContext<'registry', 'copy'>): Promise<Report> {
  const objects = await run.step('copy', async (step) => {
    const done: string[] = [];
    for (const call of run.plan.images ?? []) done.push(await doCall(run, call, step));
    return done;
  });
  return { kind: 'changed', objects };
}
