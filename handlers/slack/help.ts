import type { Catalogue, Operation } from '../../src/core/operation.ts';
import { code, context, header, type MessageView, section } from './blocks/elements.ts';
import { usageOf } from './grammar.ts';

const writeExample = ({ command, name }: Operation, example: string) =>
  `${command ?? `/ship ${name}`} ${example}`.trim();

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
      section(lines.join('\n')),
      context(
        'Any field can be given as `name=value`. `/ship help NAME` shows examples. In a thread, mention me instead: `@Shipmate status web`.',
      ),
    ],
  };
}
