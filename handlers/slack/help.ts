import type { Catalogue, Operation } from '../../src/core/operation.ts';
import { code, context, header, type MessageView, section } from './blocks/elements.ts';
import { spoken, usageOf } from './grammar.ts';
import { runCommands } from './run-commands.ts';

const writeExample = ({ command, name }: Operation, example: string) =>
  `${command ?? `/ship ${spoken(name)}`} ${example}`.trim();

/** A section takes 3,000 characters. */
function portions(lines: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(lines.length / 10) }, (_, index) => lines.slice(index * 10, index * 10 + 10));
}

const runLines = () => [
  ...Object.values(runCommands).map(({ usage, summary }) => `• ${code(usage)}\n    ${summary}`),
  `• ${code('/ship undo <run>')}\n    Ask for the way back from what a run changed`,
];

/** The whole list, or one operation with its examples. */
export function helpView(catalogue: Catalogue, only?: Operation): MessageView {
  const listed = only ? [only] : [...catalogue.values()];
  const lines = listed.map((operation) => {
    const examples = only
      ? operation.examples.map((example) => `\n    e.g. ${code(writeExample(operation, example))}`).join('')
      : '';
    return `• ${code(usageOf(operation))}\n    ${operation.summary}${examples}`;
  });
  return {
    text: only ? usageOf(only) : `Shipmate knows: ${listed.map(({ name }) => name).join(', ')}`,
    blocks: [
      header(only ? only.name : 'What Shipmate can do'),
      ...portions(lines).map((portion) => section(portion.join('\n'))),
      ...(only ? [] : [section(runLines().join('\n'))]),
      context(
        'Any field can be given as `name=value`. `/ship help NAME` shows examples. In a thread, mention me instead: `@Shipmate status web`.',
      ),
    ],
  };
}
