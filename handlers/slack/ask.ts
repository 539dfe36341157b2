import type { NamedText } from '../../src/core/documents.ts';
import { fault } from '../../src/core/errors.ts';
import { didYouMean } from '../../src/core/near.ts';
import type { Catalogue, Operation } from '../../src/core/operation.ts';
import { operationOf } from '../../src/core/operation.ts';
import type { Origin, Run } from '../../src/core/run.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { requestEach } from '../../src/engine/request.ts';
import { undo } from '../../src/engine/undo.ts';
import type { MessageView, Mrkdwn } from './blocks/elements.ts';
import { attachedField, withFiles } from './file-input.ts';
import { readLine } from './grammar.ts';
import { helpAbout } from './help.ts';
import { actorOf, type Member } from './members.ts';
import { runCommands, sayOfRun } from './run-commands.ts';

/** Who asked, and where in Slack. */
export type Asker = { member: Member; channel: string };
type Deps = { engine: Engine };

export type Answer =
  | { kind: 'help'; view: MessageView }
  | { kind: 'form'; operation: Operation }
  | { kind: 'told'; text: Mrkdwn }
  | { kind: 'asked'; run: Run; operation: Operation };

const originOf = ({ member: { team, user }, channel }: Asker): Origin => ({ surface: 'slack', team, channel, user });

/** `/deploy …` and `/ship deploy …` mean the same. */
function operationAndRest(catalogue: Catalogue, command: string, text: string): { name: string; rest: string } {
  const own = [...catalogue.values()].find((operation) => operation.command === command);
  if (own) return { name: own.name, rest: text };
  const trimmed = text.trim();
  const [first = ''] = trimmed.split(/\s+/);
  // `/canary abort` is `/ship canary abort`.
  const sub = [...catalogue.values()].find((operation) => operation.command === `${command} ${first}`);
  if (sub) return { name: sub.name, rest: trimmed.slice(first.length).trim() };
  // `config set` is said in two words and named in one; the longest name that there is counts.
  const starts = [...trimmed.matchAll(/\S+/g)]
    .slice(0, 3)
    .map(({ 0: word, index }) => trimmed.slice(0, index + word.length));
  const said = starts.findLast((start) => catalogue.has(start.replace(/\s+/g, '-'))) ?? first;
  return { name: said.replace(/\s+/g, '-'), rest: trimmed.slice(said.length).trim() };
}

/** Puts a request of somebody in Slack through the front door. @throws Fault */
export async function askFor(
  deps: Deps,
  asker: Asker,
  operation: string,
  input: unknown,
  key: string | undefined,
  breakGlass?: string,
): Promise<Run> {
  const ask = { actor: actorOf(asker.member), operation, input, origin: originOf(asker), key };
  // Of several environments each run has its own message; the first one's time tells whether all of it is new.
  const [first] = await requestEach(deps.engine, { ...ask, ...(breakGlass !== undefined && { breakGlass }) });
  if (!first) throw fault('BAD_INPUT', { problem: `${operation}: no environment is named.` });
  return first;
}

async function askUndo(deps: Deps, asker: Asker, id: string, key: string): Promise<Answer> {
  const run = await undo(deps.engine, id, { actor: actorOf(asker.member), origin: originOf(asker), key });
  return { kind: 'asked', run, operation: operationOf(deps.engine.catalogue, run.operation) };
}

/** What is said about a run instead of clicking; undefined where the line is none of that. */
async function runLine(
  deps: Deps,
  asker: Asker,
  { name, rest, key }: { name: string; rest: string; key: string },
): Promise<Answer | undefined> {
  if (name === 'undo' && rest !== '') return await askUndo(deps, asker, rest, key);
  if (!Object.hasOwn(runCommands, name)) return undefined;
  const text = await sayOfRun(deps.engine, name, rest, actorOf(asker.member));
  return text === undefined ? undefined : { kind: 'told', text };
}

/** Answers a line of words, from a slash command or a mention. @throws Fault */
export async function answerLine(
  deps: Deps,
  asker: Asker,
  line: { command: string; text: string; key: string; files?: (() => Promise<NamedText[]>) | undefined },
): Promise<Answer> {
  const { catalogue } = deps.engine;
  const { name, rest } = operationAndRest(catalogue, line.command, line.text);
  if (name === '' || name === 'help') {
    return { kind: 'help', view: helpAbout(catalogue, rest) };
  }
  const field = line.files && attachedField(catalogue, name);
  const told = await runLine(deps, asker, { name, rest, key: line.key });
  if (told) return told;
  if (!catalogue.has(name)) {
    throw fault('UNKNOWN_OPERATION', {
      name,
      near: didYouMean(name, [...catalogue.keys(), ...Object.keys(runCommands), 'undo', 'help']),
    });
  }
  const operation = operationOf(deps.engine.catalogue, name);
  const needsForm = rest === '' && [...operation.fields.values()].some(({ required }) => required);
  if (needsForm && operation.effect === 'change') {
    return { kind: 'form', operation };
  }
  const { input: said, breakGlass } = readLine(operation, rest);
  const input = line.files && field ? withFiles(said, field, await line.files()) : said;
  const run = await askFor(deps, asker, name, input, line.key, breakGlass);
  return { kind: 'asked', run, operation };
}
