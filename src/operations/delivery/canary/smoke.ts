import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckJob } from '../../../core/check-job.ts';
import type { StepContext } from '../../../core/operation.ts';
import { type SmokeTest, smokeText, wrongWith } from '../../../core/smoke-test.ts';
import { lookAtJob } from './jobs.ts';
import { type Done, type Kit, lookMs, type Tried, unlessAborted } from './kit.ts';

/** What a Job has beyond its limit for being made and cleared up. */
const graceMs = 15_000;

const no = (detail: string): Tried => ({ kind: 'failed', detail: `smoke test: ${detail}` });

async function byJob(kit: Kit, job: CheckJob, step: StepContext, signal: AbortSignal): Promise<Tried> {
  for (;;) {
    const outcome = await lookAtJob(kit, job, 'smoke', signal);
    if (outcome.kind === 'passed') return { kind: 'done' };
    if (outcome.kind === 'failed') return no(outcome.last ?? 'its Job failed without a word');
    const why = outcome.kind === 'unknown' ? outcome.why : 'is still running';
    // What has no node yet may get one, until its time is over.
    const over = why === 'was not done in time' || kit.run.now() > step.startedAt + job.limit + graceMs;
    if (over) return no(`its Job ${why}`);
    step.note(`smoke test: its Job ${why}`);
    await sleep(lookMs, undefined, { signal });
  }
}

async function byHttp(
  { kube, run, rollout }: Kit,
  { http }: Pick<SmokeTest, 'http'>,
  signal: AbortSignal,
): Promise<Tried> {
  for (const check of http) {
    const port = check.port ?? rollout.ports[0] ?? 80;
    const service = { namespace: run.place.namespace, name: rollout.canary, port };
    const wrong = wrongWith(check, await kube.ask(service, check.path, signal));
    if (wrong !== undefined) return no(wrong);
  }
  return { kind: 'done' };
}

/** Asks the new version, which has no traffic yet, whether it is well. Where nothing can be learned it is not. */
export async function smoke(kit: Kit, smokeTest: SmokeTest, step: StepContext): Promise<Done> {
  const { http, job } = smokeTest;
  const done = await unlessAborted(kit, step, 0, async (signal) => {
    step.note(`smoke test: ${smokeText(smokeTest)}`);
    const asked = await byHttp(kit, { http }, signal);
    return asked.kind === 'done' && job ? await byJob(kit, job, step, signal) : asked;
  });
  if (done.kind === 'back') step.note(done.back.detail);
  else step.note(`smoke test passed: ${smokeText(smokeTest)}`);
  return done;
}
