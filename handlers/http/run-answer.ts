import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Actor, actorId } from '../../src/core/actor.ts';
import { endText } from '../../src/core/end-text.ts';
import { fault, faultCodes, faultEntry } from '../../src/core/errors.ts';
import { siteOf } from '../../src/core/place.ts';
import { isOver, type Run, type RunState } from '../../src/core/run.ts';
import { type ApiDeps, linkOf } from './api-context.ts';
import { type Preference, preferenceOf } from './prefer.ts';
import { type RunView, viewOf } from './run-view.ts';
import { waitForEnd, waitsForPerson } from './wait-for-end.ts';

const soonSeconds = 2;
const personSeconds = 15;
const mostSeconds = 30;

/** In how many seconds a run that goes on may have got further; nothing where all are over. */
function retryAfter(runs: readonly Run[], now: number): number | undefined {
  const open = runs.filter(({ state }) => !isOver(state));
  if (open.length === 0) return undefined;
  const times = open.map((run) => {
    if (waitsForPerson(run)) return personSeconds;
    const parked = Math.ceil(((run.wakeAt ?? now) - now) / 1_000);
    return Math.min(Math.max(parked, soonSeconds), mostSeconds);
  });
  return Math.min(...times);
}

/** Who ended a run, and why. */
const wordOf = (did: string, { actor, reason }: { actor: Actor; reason?: string | undefined }): string =>
  `: ${actorId(actor)} ${did} it${reason === undefined ? '' : ` (“${reason}”)`}.`;

/** Why a run did not end as it was meant to, as far as it says; with the end of the sentence. */
function whyOf({ state, report, decisions, cancelled }: Run): string {
  if (report) return `: ${endText(report)}`;
  const rejection = decisions.findLast(({ kind }) => kind === 'reject');
  if (state === 'rejected' && rejection) return wordOf('rejected', rejection);
  return state === 'cancelled' && cancelled ? wordOf('stopped', cancelled) : '.';
}

type Problem = { status: number; code: string; message: string; hint: string };

/**
 * What is said of a run that did not end as it was wanted. The status is never one of 5xx: those say that Shipmate did not take
 * the request, and curl, or a proxy on the way, sends it again. A run that ended is not to be asked for twice by a machine.
 */
function endProblem(run: Run, wanted: RunState, link: string): Problem {
  const { id, state } = run;
  const otherwise = fault('ENDED_OTHERWISE', { id, state, wanted, why: whyOf(run), link });
  if (!run.fault) return otherwise;
  const known = faultCodes.find((code) => code === run.fault?.code);
  // Of what the policy, a lock or a freeze forbids it is the same, whether that is found at the door or when it is planned.
  const status = state === 'denied' ? (known ? faultEntry(known).status : 403) : otherwise.status;
  return { ...run.fault, status };
}

function firstProblem(runs: readonly Run[], views: readonly RunView[], wanted: RunState): Problem | undefined {
  const at = runs.findIndex(({ state }) => state !== wanted);
  const run = runs[at];
  if (!run) return undefined;
  const problem = endProblem(run, wanted, views[at]?.link ?? '');
  const where = runs.length > 1 ? siteOf(run)?.env : undefined;
  return { ...problem, message: where === undefined ? problem.message : `${where}: ${problem.message}` };
}

type AnswerTerms = {
  /** The status where nobody waits. */
  plain: 200 | 202;
  /** The state that the runs are to end in. */
  wanted?: RunState;
  /** For how many seconds they are waited for where the client does not say. */
  wait?: number;
};

/** How long they are waited for; nothing where the answer is only that they were taken on. */
function secondsOf({ wait, respondAsync }: Preference, terms: AnswerTerms): number | undefined {
  return wait ?? (respondAsync ? undefined : terms.wait);
}

/** What was done as preferred, in the words of RFC 7240. */
function appliedOf({ wait, respondAsync }: Preference, waited: boolean, status: number): string {
  const done = [
    ...(waited && wait !== undefined ? [`wait=${wait}`] : []),
    ...(respondAsync && status === 202 ? ['respond-async'] : []),
  ];
  return done.join(', ');
}

/**
 * Answers with runs, as the header Prefer has it. Whoever waits gets the status of the end: 200 where it is the one that is wanted,
 * 202 where it has not come yet, else that of `endProblem`, so that `curl --fail` fails where the deploy did.
 */
export async function answerRuns(
  deps: ApiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  first: readonly Run[],
  terms: AnswerTerms,
): Promise<FastifyReply> {
  const preference = preferenceOf(request.headers.prefer);
  const seconds = secondsOf(preference, terms);
  const waits = seconds !== undefined;
  const { runs, waited } = waits
    ? await waitForEnd(deps, request, reply, first, seconds)
    : { runs: first, waited: false };
  const views = runs.map((run) => viewOf(run, linkOf(deps, request, run.id)));
  const again = retryAfter(runs, deps.engine.now());
  const problem = waits && again === undefined ? firstProblem(runs, views, terms.wanted ?? 'finished') : undefined;
  const status = problem?.status ?? (waits ? (again === undefined ? 200 : 202) : terms.plain);
  const applied = appliedOf(preference, waited, status);
  const open = views.find(({ state }) => !isOver(state)) ?? views[0];
  reply.code(status).header('vary', 'Prefer');
  if (applied !== '') reply.header('preference-applied', applied);
  if (again !== undefined) reply.header('retry-after', String(again));
  if (waits || terms.plain === 202) reply.header('location', open?.link);
  const error = problem && { code: problem.code, message: problem.message, hint: problem.hint, requestId: request.id };
  return reply.send({ ...(error && { error }), data: views[0], ...(views.length > 1 && { each: views }) });
}
