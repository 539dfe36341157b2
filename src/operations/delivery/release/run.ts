import { at } from '../../../core/json.ts';
import type { RunContext } from '../../../core/operation.ts';
import type { PartAsk, PartPlan } from '../../../core/parts.ts';
import { locate } from '../../../core/place.ts';
import type { Report } from '../../../core/report.ts';
import { findWorkload, templateOf } from '../../workloads/find.ts';
import { containersOf } from '../workload.ts';
import type { ReleaseNeeds } from './plan.ts';
import { settleParts } from './settle-parts.ts';

export const releaseSteps = ['build', 'scan', 'sign', 'wave', 'back', 'verify'] as const;
type ReleaseRun = RunContext<ReleaseNeeds, (typeof releaseSteps)[number]>;

const askOf = ({ operation, input, digest }: PartPlan): PartAsk => ({ operation, input, digest });

async function workloadOf({ on, settings }: ReleaseRun, app: string, env: string, signal: AbortSignal) {
  const place = locate(settings, { app, env });
  return await findWorkload(on.kube(place.cluster), place, signal);
}

/** Takes back whatever was begun, the last first; answers with what could not be. */
async function takeBack(
  run: ReleaseRun,
  begun: readonly PartPlan[],
  env: string,
): Promise<{ app: string; why: string }[]> {
  return await run.step('back', async (step) => {
    const stays: { app: string; why: string }[] = [];
    for (const { app, back } of [...begun].reverse()) {
      // An app that is new, and whose deploy was refused, never came to be: there is nothing to take back.
      if (back.operation === 'workload-delete' && !(await workloadOf(run, app, env, step.signal))) continue;
      const [end] = await settleParts(step, new Map([[`back ${app}`, back]]), { deaf: true });
      if (end && !end.well) stays.push({ app, why: end.why });
    }
    return stays;
  });
}

/** Which apps do not run what was released: somebody was at work beside Shipmate. */
async function differing(run: ReleaseRun, parts: readonly PartPlan[], env: string, signal: AbortSignal) {
  const looked = await Promise.all(
    parts.map(async ({ app, image }) => {
      const found = await workloadOf(run, app, env, signal);
      const images = found ? containersOf(templateOf(found).live).map((each) => String(at(each, 'image') ?? '')) : [];
      return image === undefined || images.some((each) => each.endsWith(image.digest)) ? [] : [app];
    }),
  );
  return looked.flat();
}

/** Wave by wave; as one app fails, all go back to what they were. */
export async function runRelease(run: ReleaseRun, env: string): Promise<Report> {
  const parts = run.plan.parts ?? [];
  const runs: Record<string, string> = {};
  const told = ({ app, summary }: PartPlan) => ({ app, summary, ...(runs[app] !== undefined && { run: runs[app] }) });
  const begun: PartPlan[] = [];
  for (const wave of new Set(parts.map((part) => part.wave))) {
    const now = parts.filter((part) => part.wave === wave);
    const ends = await run.step(`wave ${wave}`, (step) =>
      settleParts(step, new Map(now.map((part) => [part.key, askOf(part)]))),
    );
    for (const { key, run: id } of ends) if (id !== undefined) runs[key] = id;
    begun.push(...now.filter(({ key }) => ends.some((end) => end.key === key && end.begun)));
    const failed = ends.find(({ well, cut }) => !well && !cut) ?? ends.find(({ well }) => !well);
    if (!failed) continue;
    const stays = await takeBack(run, begun, env);
    return { kind: 'taken-back', app: failed.key, why: failed.why, aborted: failed.cut, apps: begun.map(told), stays };
  }
  const differs = await run.step('verify', ({ signal }) => differing(run, parts, env, signal));
  return { kind: 'released', apps: parts.map(told), differs };
}
