import type { Actor } from '../../src/core/actor.ts';
import { fault } from '../../src/core/errors.ts';
import type { Run } from '../../src/core/run.ts';
import { answer, review } from '../../src/engine/answer.ts';
import { decide } from '../../src/engine/decide.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { readRun } from '../../src/engine/reading.ts';
import { stop } from '../../src/engine/stop.ts';
import { refusalText } from './refusal-text.ts';

type RunCommand = {
  usage: string;
  summary: string;
  /** Answers with what the person is told. @throws Fault */
  act(engine: Engine, run: Run, actor: Actor, rest: string): Promise<string>;
};

/** What can be said about a run instead of clicking. Approving is not among them: one approves a plan that one sees. */
export const runCommands: Record<string, RunCommand> = {
  cancel: {
    usage: '/ship cancel <run> [<reason>]',
    summary: 'Stop a run, or take a request back',
    act: async (engine, run, actor, reason) => {
      await stop(engine, run.id, { actor, ...(reason !== '' && { reason }) });
      return `Run ${run.id} is told to stop; its message shows when it has.`;
    },
  },
  withdraw: {
    usage: '/ship withdraw <run>',
    summary: 'Take your approval back while others are still missing',
    act: async (engine, run, actor) => {
      const ballot = { actor, kind: 'withdraw' as const, digest: run.plan?.digest ?? '' };
      const { outcome, run: now } = await decide(engine, run.id, ballot);
      if (outcome.kind === 'refused') return refusalText(outcome, now, engine.settings());
      return `Your approval of run ${run.id} is taken back.`;
    },
  },
  answer: {
    usage: '/ship answer <run> <choice>',
    summary: 'Answer what a run asks',
    act: async (engine, run, actor, choice) => {
      await answer(engine, run.id, actor, choice);
      return `Run ${run.id} goes on.`;
    },
  },
  review: {
    usage: '/ship review <run>',
    summary: 'Say that you have looked at a run for which the glass was broken',
    act: async (engine, run, actor) => {
      await review(engine, run.id, actor);
      return `Run ${run.id} is reviewed.`;
    },
  },
};

/** Does what a line says about a run. @throws Fault UNKNOWN_RUN, BAD_COMMAND, or what the engine refuses */
export async function sayOfRun(engine: Engine, name: string, rest: string, actor: Actor): Promise<string | undefined> {
  const command = Object.hasOwn(runCommands, name) ? runCommands[name] : undefined;
  if (!command) return undefined;
  const [id = '', ...words] = rest.split(/\s+/);
  if (id === '') throw fault('BAD_COMMAND', { problem: `${name}: which run?`, usage: `Usage: ${command.usage}` });
  const run = await readRun(engine, id, actor);
  return await command.act(engine, run, actor, words.join(' ').replace(/^["“](.*)["”]$/, '$1'));
}
