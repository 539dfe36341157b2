import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, fault } from '../core/errors.ts';
import { Json } from '../core/json.ts';
import type { Operation, StepContext, WaitFor } from '../core/operation.ts';
import { redactDeep } from '../core/redact.ts';
import type { Run, StepRecord } from '../core/run.ts';
import { replayed } from '../core/trust.ts';
import { either } from '../core/within.ts';
import { type Lap, Parked, shortMs } from './lap.ts';
import { listening } from './listening.ts';
import { partsOf } from './parts.ts';
import { createProgress } from './progress.ts';
import { checkFound } from './reads.ts';

/** Waits between the tries of a step that met a fault which may pass. */
const patienceMs = [1_000, 2_000, 4_000, 8_000, 16_000];
/** What a step, and a whole run, may take where its operation does not say otherwise. */
const stepLimitMs = 60 * 60_000;
const runLimitMs = 24 * 60 * 60_000;

/** A step that nobody foresaw (a weight that somebody asked for) comes behind those that were begun. */
function listedIn({ checklist: listed, steps, plan }: Run, name: string): string[] {
  // While it is planned nobody knows yet what it will do.
  const checklist = plan ? listed : listed.filter((known) => steps[known]);
  if (checklist.includes(name)) return checklist;
  const behind = checklist.findLastIndex((known) => steps[known]) + 1;
  return checklist.toSpliced(behind, 0, name);
}

function setStep(
  lap: Lap,
  name: string,
  record: StepRecord,
  text: string,
  records: readonly string[] = [],
): Promise<unknown> {
  return lap.save(
    (run) => ({
      ...run,
      wakeAt: record.state === 'waiting' ? record.until : undefined,
      checklist: listedIn(run, name),
      steps: { ...run.steps, [name]: record },
    }),
    [...records, text].map((said) => ({ kind: 'step', step: name, text: said })),
  );
}

/** Aborts with the lap, or as STEP_TIMED_OUT when the step's or the run's time is over; `end` stops the clock. */
function limited(
  lap: Lap,
  operation: Operation,
  name: string,
  startedAt: number,
): { signal: AbortSignal; end(): void } {
  const limit = operation.limits?.steps?.[name.split(' ')[0] ?? name] ?? stepLimitMs;
  const runLimit = operation.limits?.run ?? runLimitMs;
  const left = Math.min(startedAt + limit, (lap.run().startedAt ?? startedAt) + runLimit) - lap.engine.now();
  const over = new AbortController();
  const stop = () => {
    const minutes = String(Math.round(Math.min(limit, runLimit) / 6_000) / 10);
    over.abort(fault('STEP_TIMED_OUT', { step: name, minutes }));
  };
  const timer = setTimeout(stop, Math.max(0, left));
  timer.unref();
  return { signal: either(lap.signal, over.signal), end: () => clearTimeout(timer) };
}

/** Acts, and again where a fault may pass; what must not be done twice is tried once. */
async function patiently<Result>(
  step: StepContext,
  act: (step: StepContext) => Promise<Result>,
  once: boolean,
): Promise<Result> {
  for (let tries = once ? patienceMs.length : 0; ; tries++) {
    try {
      return await act(step);
    } catch (thrown) {
      const wait = patienceMs[tries];
      if (!(thrown instanceof Fault) || thrown.retry === 'never' || wait === undefined || step.signal.aborted)
        throw thrown;
      step.note(`${thrown.message} Trying again in ${wait / 1_000} s.`);
      await sleep(wait, undefined, { signal: step.signal });
    }
  }
}

/** A result as plain JSON. Pods' logs may be part of it, so it is rid of secrets like all that people get to see. */
async function storable(lap: Lap, result: unknown): Promise<Json> {
  const json = JSON.stringify(result);
  checkFound(lap.engine.settings().reads, lap.run(), json);
  return await redactDeep(lap.engine.redact, Json.parse(JSON.parse(json)));
}

/** A time-out shows as its own fault, however the step put it. */
const meant = (signal: AbortSignal, thrown: unknown): unknown =>
  signal.aborted && signal.reason instanceof Fault ? signal.reason : thrown;

/** A step that may have been done, or half, or not at all, and must not be done twice. @throws Fault NOT_KNOWN */
async function notKnown(lap: Lap, name: string, { startedAt }: StepRecord): Promise<never> {
  const text = 'not known whether it was done';
  await setStep(lap, name, { state: 'failed', startedAt, endedAt: lap.engine.now(), note: text }, text);
  throw fault('NOT_KNOWN', { step: name });
}

/**
 * Does a step once and remembers its result. That it was started is stored before it acts, so that a run taken up
 * elsewhere knows that something may have been done already.
 * @throws LeaseLost; whatever the step throws, after the fault is stored as the step's end
 */
export async function doStep<Result>(
  lap: Lap,
  operation: Operation,
  name: string,
  act: (step: StepContext) => Promise<Result>,
): Promise<Result> {
  lap.signal.throwIfAborted();
  const before = lap.run().steps[name];
  if (before?.state === 'done') return replayed<Result>(before.result);
  const startedAt = before?.startedAt ?? lap.engine.now();
  const once = operation.atMostOnce?.includes(name) ?? false;
  if (once && before) return await notKnown(lap, name, before);
  const memo = before?.memo === undefined ? {} : { memo: before.memo };
  const noted = before?.note === undefined ? {} : { note: before.note };
  // Having waited is no event: it may come thousands of times.
  if (before?.state === 'waiting') lap.stage((run) => ({ ...run, wakeAt: undefined }), []);
  else
    await setStep(lap, name, { state: 'started', startedAt, ...memo, ...noted }, before ? 'taken up again' : 'started');
  const end = async (state: 'done' | 'failed', result?: unknown) => {
    const note = lap.run().steps[name]?.note;
    const record: StepRecord = { state, startedAt, endedAt: lap.engine.now(), ...(note !== undefined && { note }) };
    const whole = result === undefined ? record : { ...record, result: await storable(lap, result) };
    await setStep(lap, name, whole, state, progress.records());
  };
  const { signal, end: stopClock } = limited(lap, operation, name, startedAt);
  const progress = createProgress(lap, name, startedAt, signal);
  const step = { ...progress.context, ...listening(lap, name, signal, progress.flush), parts: partsOf(lap) };
  try {
    const result = await patiently(step, act, once).finally(progress.flush);
    await end('done', result);
    return result;
  } catch (thrown) {
    const problem = meant(signal, thrown);
    // Stopped from outside: the step is not over, another worker takes it up.
    if (!lap.signal.aborted && problem instanceof Fault) await end('failed');
    throw problem;
  } finally {
    stopClock();
  }
}

async function park(lap: Lap, name: string, record: StepRecord): Promise<never> {
  const known = lap.run().steps[name];
  const unchanged = known?.state === 'waiting' && lap.run().wakeAt === record.until;
  if (!unchanged) await setStep(lap, name, record, 'waiting');
  throw new Parked(name);
}

/** Waits without holding a worker: the run is parked, and taken up again when it is time. */
export async function doWait(lap: Lap, name: string, ms: number): Promise<void> {
  lap.signal.throwIfAborted();
  const now = lap.engine.now();
  const before = lap.run().steps[name];
  if (before?.state === 'done') return;
  const startedAt = before?.startedAt ?? now;
  const until = before?.until ?? now + ms;
  if (until - now > shortMs) await park(lap, name, { state: 'waiting', startedAt, until });
  if (until > now) await sleep(until - now, undefined, { signal: lap.signal });
  await setStep(lap, name, { state: 'done', startedAt, endedAt: lap.engine.now() }, 'done');
}

/**
 * Waits for a person's answer without holding a worker.
 * @returns one of the choices, or undefined where nobody answered in time
 */
export async function doWaitFor(lap: Lap, name: string, { ms, choices, of }: WaitFor): Promise<string | undefined> {
  lap.signal.throwIfAborted();
  const now = lap.engine.now();
  const before = lap.run().steps[name];
  if (before?.state === 'done') return typeof before.result === 'string' ? before.result : undefined;
  const startedAt = before?.startedAt ?? now;
  const until = before?.until ?? now + ms;
  if (now < until) await park(lap, name, { state: 'waiting', startedAt, until, asks: { of, choices: [...choices] } });
  await setStep(
    lap,
    name,
    { state: 'done', startedAt, endedAt: now, note: 'nobody answered in time' },
    'nobody answered in time',
  );
  return undefined;
}
