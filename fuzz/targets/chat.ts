import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { code, cut, harmless, plain } from '../../handlers/slack/blocks/elements.ts';
import { withFiles } from '../../handlers/slack/file-input.ts';
import { readInput, readLine, written } from '../../handlers/slack/grammar.ts';
import { formInput } from '../../handlers/slack/modal.ts';
import { didYouMean } from '../../src/core/near.ts';
import { catalogue } from '../../src/operations/catalogue.ts';
import { json, mutated, text } from '../inputs.ts';
import { holds, type Target, target } from '../target.ts';

const operations = [...catalogue.values()];
const fields = [...new Set(operations.flatMap((operation) => [...operation.fields.keys()]))];
const typed = [
  'web',
  ':v1',
  'production',
  ' ',
  '=',
  ',',
  '"',
  "'",
  '\u201c',
  '\u2014',
  ' to ',
  ' in ',
  ' -- ',
  '--break-glass ',
  '\u2014break-glass=',
  '<https://a.example|a>',
  '<http:',
  '|',
  '&lt;!channel&gt;',
  '3',
  '25%',
  '90m',
  'statefulset/db',
  '10.0.0.0/8',
  '*',
];
const command = text(
  [...typed, ...fields.map((field) => `${field}=`), ...fields.slice(0, 20).map((field) => ` --${field} `)],
  3_000,
);
const operation = fc.constantFrom(...catalogue.keys());
/** By its name: an operation itself is nothing to print. */
const named = (name: string) => {
  const found = catalogue.get(name);
  if (!found) throw new Error(`there is no operation ${name}`);
  return found;
};

/** Letters that mean nothing to the grammar. */
const word = fc.string({ unit: fc.constantFrom(...'abcz019._:/%@+=,-üß'), minLength: 1, maxLength: 12 });

const form = {
  app: { app: { type: 'plain_text_input', value: 'web' } },
  n: { n: { type: 'number_input', value: '3' } },
};

const words = (line: string): string[] => written(line).map((each) => each.word);

export const chat: readonly Target[] = [
  target('words', 'A line is its words, or a quote in it is open.', command, (line) => void words(line)),
  target('quoted-words', 'Words in quotes are the words that they were.', fc.array(word, { maxLength: 10 }), (all) => {
    const line = all.map((each, n) => (n % 2 === 0 ? `"${each}"` : `'${each}'`)).join(' ');
    holds(isDeepStrictEqual(words(line), all), `they became ${JSON.stringify(words(line))}`);
  }),
  target(
    'command',
    'A line becomes an input, which its schema takes or refuses, or is refused with a sentence.',
    fc.tuple(operation, command),
    ([name, line]) => {
      const of = named(name);
      const { input, breakGlass } = readLine(of, line);
      of.input.safeParse(input);
      holds(breakGlass === undefined || typeof breakGlass === 'string', 'a reason is no text');
      readInput(of, line);
    },
  ),
  target(
    'form',
    'What was filled in becomes an input, or is refused by its schema.',
    fc.tuple(operation, fc.oneof(mutated([form], fields), json(fields))),
    ([name, values]) => {
      const of = named(name);
      let input: Record<string, unknown> = {};
      try {
        input = formInput(values);
      } catch (thrown) {
        holds(
          (thrown instanceof Error && thrown.name === '$ZodError') ||
            (thrown instanceof Error && thrown.name === 'ZodError'),
          `it threw ${String(thrown)}`,
        );
      }
      of.input.safeParse(input);
    },
  ),
  target(
    'files',
    'Attached files become a field, each under its own name.',
    fc.array(fc.tuple(text(['a', '.yaml', '__proto__']), text(['a: 1\n'])), { maxLength: 5 }),
    (all) => {
      const files = all.map(([name, content]) => ({ name, text: content }));
      const { values } = withFiles({}, { name: 'values', attached: 'by-name' }, files);
      holds(Object.keys(values ?? {}).length === files.length, 'a file is lost');
    },
  ),
  target(
    'foreign-text',
    'Foreign text becomes no ping, link or code, and is never longer than it may be.',
    text(['<!channel>', '<@U1>', '<https://a|b>', '&', '`', '```', '*', '_', '\u202e', '\u2066']),
    (said) => {
      holds(!/[<>]/.test(harmless(said)), 'a mention or a link is left');
      holds(!/&(?!amp;|lt;|gt;)/.test(harmless(said)), 'an escape is open');
      holds(!/`/.test(code(said).slice(1, -1)), 'code can be left');
      holds(cut(plain(said), 75).length <= 75, 'it is longer than it may be');
    },
  ),
  target(
    'near',
    'A name that nobody knows is compared with those that are known.',
    fc.tuple(text(['web', 'wbe']), fc.array(fc.string({ maxLength: 20 }), { maxLength: 20 })),
    ([wrong, known]) => void didYouMean(wrong, known),
  ),
];
