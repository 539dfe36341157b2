import { z } from 'zod';
import { type BuildOrder, type BuildProgress, cacheTag } from '../../core/build.ts';
import { Fault, fault } from '../../core/errors.ts';
import { parseImage, repositoryOf } from '../../core/image.ts';
import type { SecretRef } from '../../core/image-settings.ts';
import type { RunContext, StepContext } from '../../core/operation.ts';
import type { Report } from '../../core/report.ts';
import { within } from '../../core/within.ts';
import type { BuildNeeds } from './plan-build.ts';

export const buildSteps = ['build', 'push'] as const;
/** The whole log is kept; of one without end, its beginning and its end. */
const keptLetters = 200_000;
const minuteMs = 60_000;

const Built = z.object({ startedAt: z.number(), log: z.string(), problem: z.string().optional() });
type BuildRun = RunContext<BuildNeeds, (typeof buildSteps)[number]>;

/** Lines, of which the middle goes where they are too many. */
function createKept() {
  let [head, tail, lost] = ['', '', false];
  return {
    add: (line: string) => {
      if (head.length < keptLetters / 2) head += `${line}\n`;
      else {
        tail += `${line}\n`;
        if (tail.length > keptLetters) {
          tail = tail.slice(-keptLetters / 2);
          lost = true;
        }
      }
    },
    text: () => `${head}${lost ? '… (the middle of the log was left out) …\n' : ''}${tail}`,
  };
}

/** Every line goes to the thread; the step shows where the build is. */
function shownAs({ note, log }: Pick<StepContext, 'note' | 'log'>, keep: (line: string) => void = () => {}) {
  return ({ text, step, steps, stage }: BuildProgress) => {
    const where = step === undefined ? '' : `${stage === undefined ? '' : `${stage}, `}${step} of ${steps ?? '?'}: `;
    if (where !== '') note(`${where}${text}`.slice(0, 300));
    log(text);
    keep(`${where}${text}`);
  };
}

/** https://github.com/opencontainers/image-spec/blob/main/annotations.md */
function labelsOf({ plan, startedAt }: { plan: BuildOrder; startedAt: number }): Record<string, string> {
  const { source, context } = plan;
  return {
    // Of a commit it is the commit's own time, so that building it twice makes the same image.
    'org.opencontainers.image.created': new Date(context.committedAt ?? startedAt).toISOString(),
    'org.opencontainers.image.revision': context.id,
    ...(source.kind === 'git' && { 'org.opencontainers.image.source': source.url }),
  };
}

function orderOf(run: BuildRun, secretRefs: Record<string, SecretRef>, startedAt: number): BuildOrder {
  const plan = run.plan.build;
  if (!plan) throw fault('INTERNAL', { problem: 'a build without a plan', run: run.id });
  const { secretRefs: _, ...build } = plan;
  const order: BuildOrder = { ...build, labels: {}, secretRefs };
  return { ...order, labels: { ...labelsOf({ plan: order, startedAt }), 'dev.shipmate.key': plan.key } };
}

async function buildIt(run: BuildRun, step: StepContext, secretRefs: Record<string, SecretRef>) {
  const kept = createKept();
  const { startedAt } = step;
  const order = orderOf(run, secretRefs, startedAt);
  if (order.built !== undefined) return { startedAt, log: '' };
  // Its own limit, inside of that of every step, so that what was said until then is not lost.
  const ms = run.settings.builds.minutes * minuteMs;
  const limited = within(step.signal, Math.max(1, startedAt + ms - run.now()));
  try {
    await run.on.docker.build(order, shownAs(step, kept.add), limited);
    return { startedAt, log: kept.text() };
  } catch (thrown) {
    step.signal.throwIfAborted();
    const problem = limited.aborted
      ? `The build of ${order.image} was stopped: it took longer than ${run.settings.builds.minutes} minutes (builds.minutes).`
      : undefined;
    if (problem === undefined && !(thrown instanceof Fault && thrown.code === 'BUILD_FAILED')) throw thrown;
    return { startedAt, log: kept.text(), problem: problem ?? (thrown instanceof Fault ? thrown.message : '') };
  }
}

/** Pushes it, and names it only where the registry has what was pushed. */
async function pushIt(run: BuildRun, step: StepContext, order: BuildOrder): Promise<string> {
  const { docker, registry } = run.on;
  const { signal } = step;
  const repository = repositoryOf(parseImage(order.image));
  const digest = order.built ?? (await docker.pushBuilt(order, shownAs(step), signal)).digest;
  if (order.built !== undefined) await registry.copy(repository, digest, order.image, () => {}, signal);
  const found = await registry.resolve(order.image, '', signal);
  if (found !== digest)
    throw fault('PUSH_FAILED', {
      image: order.image,
      problem: `the registry has ${found.slice(0, 19)} under it, and ${digest.slice(0, 19)} was pushed. Somebody else pushed it at the same time?`,
    });
  if (order.built !== undefined) return digest;
  const ownCache = order.cache && run.settings.builds.builder === undefined;
  for (const tag of [order.key, ...(ownCache ? [cacheTag] : [])])
    await registry.copy(repository, digest, `${repository}:${tag}`, () => {}, signal);
  return digest;
}

/** Does a planned build. What the registry has already is named and not built. */
export async function doBuild(run: BuildRun, secretRefs: Record<string, SecretRef> = {}): Promise<Report> {
  const built = Built.parse(await run.step('build', (step) => buildIt(run, step, secretRefs)));
  const order = orderOf(run, secretRefs, built.startedAt);
  const { image } = order;
  if (built.problem !== undefined) return { kind: 'build-failed', image, problem: built.problem, log: built.log };
  const digest = await run.step('push', (step) => pushIt(run, step, order));
  return {
    kind: 'built',
    image,
    digest,
    tag: parseImage(image).tag ?? 'latest',
    seconds: Math.round((run.now() - built.startedAt) / 100) / 10,
    ...(order.built !== undefined && { reused: true }),
    ...(built.log !== '' && { log: built.log }),
  };
}
