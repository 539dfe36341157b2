import { fault } from '../../../core/errors.ts';
import type { PlanContext } from '../../../core/operation.ts';
import type { PartAsk } from '../../../core/parts.ts';
import type { Asked } from './asked.ts';
import { type PartEnd, settleParts } from './settle-parts.ts';

/** What is done before the plan, where images are made. */
export const makeSteps = ['build', 'scan', 'sign'] as const;

export type Made = ReadonlyMap<string, { reference: string; digest: string }>;

type Context = Pick<PlanContext<'signing' | 'scanner'>, 'on' | 'step'>;

/** Those of them that this Shipmate can do. */
export const makeStepsOf = ({ on }: Pick<Context, 'on'>): (typeof makeSteps)[number][] => [
  'build',
  ...(on.scanner.ready ? (['scan'] as const) : []),
  ...(on.signing.ready ? (['sign'] as const) : []),
];

/** One part an app; the first that fails ends the release, before anything was changed. @throws Fault NOT_MADE */
async function each(context: Context, name: (typeof makeSteps)[number], asks: ReadonlyMap<string, PartAsk>) {
  const ends: PartEnd[] = await context.step(name, (step) => settleParts(step, asks));
  const failed = ends.find(({ well }) => !well);
  if (failed) throw fault('NOT_MADE', { part: failed.key, why: failed.why.replace(/\.$/, '') });
  return ends;
}

/**
 * Builds what was asked for without a version, scans it and signs it, where this Shipmate can. What the registry has of the
 * same commit is not built again.
 */
export async function make(context: Context, asked: readonly Asked[], from: string | undefined): Promise<Made> {
  const toBuild = asked.filter(({ tag }) => tag === undefined);
  if (toBuild.length === 0) return new Map();
  if (from === undefined)
    throw fault('BAD_INPUT', {
      problem: `release: which version of ${toBuild[0]?.app}? Write ${toBuild[0]?.app}@TAG, or “from main” to build it.`,
    });
  const builds = toBuild.map(({ app }) => [`build ${app}`, { operation: 'build', input: { app, ref: from } }] as const);
  const built = await each(context, 'build', new Map(builds));
  const made = new Map(
    toBuild.flatMap(({ app }, index) => {
      const image = built[index]?.image;
      return image ? [[app, image] as const] : [];
    }),
  );
  for (const step of makeStepsOf(context).slice(1)) {
    const asks = [...made].map(([app, { reference, digest }]) => {
      const input = { app, image: `${reference}@${digest}` };
      return [`${step} ${app}`, { operation: step, input }] as const;
    });
    await each(context, step, new Map(asks));
  }
  return made;
}
