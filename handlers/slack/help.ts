import { type Catalogue, type Operation, operationOf } from '../../src/core/operation.ts';
import { code, context, harmless, header, type MessageView, section } from './blocks/elements.ts';
import { spoken, usageOf } from './grammar.ts';
import { runCommands } from './run-commands.ts';

const writeExample = ({ command, name }: Operation, example: string) =>
  `${command ?? `/ship ${spoken(name)}`} ${example}`.trim();

/** A section takes 3,000 characters. */
function portions(lines: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(lines.length / 8) }, (_, index) => lines.slice(index * 8, index * 8 + 8));
}

const runLines = () => [
  ...Object.values(runCommands).map(({ usage, summary }) => `• ${code(usage)}\n    ${summary}`),
  `• ${code('/ship undo <run>')}\n    Ask for the way back from what a run changed`,
];

/** Operations by what they are about, in the catalogue's order. */
export function subjectsOf(catalogue: Catalogue): Map<string, Operation[]> {
  return Map.groupBy(catalogue.values(), ({ subject }) => subject);
}

const lineOf = (operation: Operation, examples: readonly string[]) =>
  [
    `• ${code(usageOf(operation))}\n    ${operation.summary}`,
    ...examples.map((example) => `    e.g. ${code(writeExample(operation, example))}`),
  ].join('\n');

const filesLine = ({ name, fields }: Operation): string[] =>
  [...fields.values()].some(({ attached }) => attached)
    ? [`Or attach text files and mention me: \`@Shipmate ${spoken(name)} …\`.`]
    : [];

/** One operation with all its examples. */
export function operationHelp(operation: Operation): MessageView {
  return {
    text: harmless(usageOf(operation)),
    blocks: [
      header(spoken(operation.name)),
      section(lineOf(operation, operation.examples)),
      context(['Any field can be given as `name=value`.', ...filesLine(operation)].join(' ')),
    ],
  };
}

/** The operations about one thing, each with an example. */
export function subjectHelp(catalogue: Catalogue, subject: string): MessageView {
  const operations = subjectsOf(catalogue).get(subject) ?? [];
  const lines = operations.map((operation) => lineOf(operation, operation.examples.slice(0, 1)));
  return {
    text: harmless(`${subject}: ${operations.map(({ name }) => spoken(name)).join(', ')}`),
    blocks: [header(subject), ...portions(lines).map((portion) => section(portion.join('\n')))],
  };
}

/** What there is, by what it is about: too much to read whole on a phone. */
export function helpView(catalogue: Catalogue): MessageView {
  const subjects = subjectsOf(catalogue);
  const lines = [...subjects].map(
    ([subject, operations]) => `*${subject}*  ${operations.map(({ name }) => code(spoken(name))).join(' ')}`,
  );
  return {
    text: harmless(`Shipmate knows: ${[...catalogue.keys()].map(spoken).join(', ')}`),
    blocks: [
      header('What Shipmate can do'),
      ...portions(lines).map((portion) => section(portion.join('\n'))),
      section(runLines().join('\n')),
      context(
        `\`/ship help ${[...subjects.keys()][0]}\` tells of one subject, \`/ship help deploy\` of one command. In a thread, mention me instead: \`@Shipmate status web\`.`,
      ),
    ],
  };
}

/** The answer to `/ship help …`. @throws Fault UNKNOWN_OPERATION */
export function helpAbout(catalogue: Catalogue, about: string): MessageView {
  if (about === '') return helpView(catalogue);
  if (subjectsOf(catalogue).has(about)) return subjectHelp(catalogue, about);
  return operationHelp(operationOf(catalogue, about.replaceAll(/\s+/g, '-')));
}
