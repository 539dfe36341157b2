import { Fault } from '../../../core/errors.ts';
import type { StepContext } from '../../../core/operation.ts';
import type { PartAsk } from '../../../core/parts.ts';
import type { Report } from '../../../core/report.ts';
import { isOver, type Run } from '../../../core/run.ts';

/** How a part ended: `well`, or why not. */
export type PartEnd = {
  key: string;
  well: boolean;
  why: string;
  /** Missing where it was refused before there was a run. */
  run?: string;
  /** Whether it may have changed something. */
  begun: boolean;
  /** It was told to stop, so it is not what failed. */
  cut: boolean;
  image?: { reference: string; digest: string };
};

/** A part is looked at when it says something, and in any case after so long. */
const lookMs = 6_000;

function whyOf(report: Report | undefined): string {
  switch (report?.kind) {
    case 'rolled-back':
      return report.trouble?.detail ?? report.detail;
    case 'rollout-failed':
    case 'rollout-timed-out':
      return `${report.ready} of ${report.replicas} pods ready: ${report.trouble.detail}`;
    case 'build-failed':
      return report.problem;
    case 'superseded':
      return 'somebody else changed it meanwhile';
    default:
      return '';
  }
}

/** The image that a build made, or found in the registry under the same tag already. */
function imageOf({ report, plan }: Run): PartEnd['image'] {
  if (report?.kind === 'built') return { reference: report.image, digest: report.digest };
  const { image, built } = plan?.build ?? {};
  return report?.kind === 'unchanged' && image !== undefined && built !== undefined
    ? { reference: image, digest: built }
    : undefined;
}

function endOf(key: string, run: Run): PartEnd {
  const { id, state, report, fault, startedAt, cancelled } = run;
  const why = fault?.message ?? (whyOf(report) || (cancelled ? 'it was stopped' : state));
  const image = imageOf(run);
  return {
    key,
    run: id,
    well: state === 'finished',
    why: state === 'finished' ? '' : why,
    begun: startedAt !== undefined,
    cut: state === 'cancelled',
    ...(image && { image }),
  };
}

/** `web: weight 25`, with what its step says of itself. */
function standOf(key: string, { state, checklist, steps }: Run): string {
  if (isOver(state)) return `${key}: ${state === 'finished' ? 'done' : state}`;
  const at = checklist.findLast((name) => steps[name]);
  const note = at === undefined ? undefined : steps[at]?.note;
  if (state === 'set-aside') return `${key}: set aside`;
  return `${key}: ${state === 'awaiting' ? 'waits for approval' : (note ?? at ?? 'begins')}`;
}

type Asked = { key: string; run: Run } | { key: string; end: PartEnd };

async function look({ parts }: StepContext, key: string, ask: PartAsk): Promise<Asked> {
  try {
    return { key, run: await parts.ask(key, ask) };
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.retry !== 'never') throw thrown;
    return { key, end: { key, well: false, why: thrown.message, begun: false, cut: false } };
  }
}

/** Why the rest must not go on: somebody said so, or one of them has failed. */
async function breakOff(step: StepContext, found: readonly Asked[], open: readonly Run[]): Promise<number> {
  const steers = await step.steers();
  const said = steers.find(({ wish }) => wish.kind === 'abort');
  const failed = found.find((each) =>
    'end' in each ? !each.end.well : isOver(each.run.state) && each.run.state !== 'finished',
  );
  if ((said || failed) && step.memo() !== 'stopping') {
    // Only a person takes up what was set aside: it waits for one, and the release with it.
    for (const { id, actor } of open.filter(({ state }) => said || state !== 'set-aside'))
      await step.parts.stop(id, {
        actor: said?.actor ?? actor,
        reason: said ? 'the release was aborted' : `${failed?.key} failed, and with it the release`,
      });
    await step.remember('stopping');
  }
  return steers.length;
}

/**
 * Asks for parts and waits until all of them are over; as one fails, or somebody aborts the whole, the others are stopped.
 * Done again after a crash it finds the same parts. The way back is `deaf`: nothing stops it.
 */
export async function settleParts(
  step: StepContext,
  asks: ReadonlyMap<string, PartAsk>,
  { deaf = false } = {},
): Promise<PartEnd[]> {
  for (;;) {
    const found: Asked[] = [];
    for (const [key, ask] of asks) found.push(await look(step, key, ask));
    const open = found.flatMap((each) => ('run' in each && !isOver(each.run.state) ? [each.run] : []));
    step.note(found.map((each) => ('end' in each ? `${each.key}: refused` : standOf(each.key, each.run))).join(' · '));
    if (open.length === 0) return found.map((each) => ('end' in each ? each.end : endOf(each.key, each.run)));
    await step.rest(lookMs, deaf ? (await step.steers()).length : await breakOff(step, found, open));
  }
}
