import type { Actor } from '../../src/core/actor.ts';
import { fault } from '../../src/core/errors.ts';
import { didYouMean } from '../../src/core/near.ts';
import type { Catalogue, Operation } from '../../src/core/operation.ts';
import type { Origin, Run } from '../../src/core/run.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { operationOf, request } from '../../src/engine/request.ts';
import type { MessageView } from './blocks/elements.ts';
import { readInput } from './grammar.ts';
import { helpView } from './help.ts';
import type { Members } from './members.ts';

/** Where in Slack somebody asked. */
export type Asker = { team: string; channel: string; user: string };

export type Answer =
  | { kind: 'help'; view: MessageView }
  | { kind: 'form'; operation: Operation }
  | { kind: 'asked'; run: Run; operation: Operation };

const actorOf = ({ team, user }: Asker): Actor => ({ kind: 'slack', team, user });
const originOf = (asker: Asker): Origin => ({ surface: 'slack', ...asker });

/** `/deploy …` and `/ship deploy …` mean the same. */
function operationAndRest(catalogue: Catalogue, command: string, text: string): { name: string; rest: string } {
  const own = [...catalogue.values()].find((operation) => operation.command === command);
  if (own) return { name: own.name, rest: text };
  const [name = '', ...rest] = text.trim().split(/\s+/);
  return { name, rest: rest.length === 0 ? '' : text.trim().slice(name.length).trim() };
}

/** Puts a request of somebody in Slack through the front door. @throws Fault */
export async function askFor(
  deps: { engine: Engine; members: Members },
  asker: Asker,
  operation: string,
  input: unknown,
  key: string | undefined,
): Promise<Run> {
  await deps.members.check(asker.user, asker.team);
  return await request(deps.engine, { actor: actorOf(asker), operation, input, origin: originOf(asker), key });
}

/** Answers a line of words, from a slash command or a mention. @throws Fault */
export async function answerLine(
  deps: { engine: Engine; members: Members },
  asker: Asker,
  line: { command: string; text: string; key: string },
): Promise<Answer> {
  const { catalogue } = deps.engine;
  const { name, rest } = operationAndRest(catalogue, line.command, line.text);
  if (name === '' || name === 'help') {
    return { kind: 'help', view: helpView(catalogue, rest === '' ? undefined : operationOf(deps.engine, rest)) };
  }
  if (!catalogue.has(name)) {
    throw fault('UNKNOWN_OPERATION', { name, near: didYouMean(name, [...catalogue.keys(), 'help']) });
  }
  const operation = operationOf(deps.engine, name);
  if (rest === '' && operation.effect === 'change') {
    await deps.members.check(asker.user, asker.team);
    return { kind: 'form', operation };
  }
  const run = await askFor(deps, asker, name, readInput(operation, rest), line.key);
  return { kind: 'asked', run, operation };
}
