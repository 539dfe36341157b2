import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { allowsCommand, CommandPattern, commandText } from '../../src/core/command-pattern.ts';
import { Json } from '../../src/core/json.ts';
import { labelsOf, selectorText, selects } from '../../src/core/label-selector.ts';
import { ObjectName, WorkloadRef } from '../../src/core/place.ts';
import { barOf, billionths, compareQuantities, shareOf, sumOf } from '../../src/core/quantity.ts';
import { Quantity } from '../../src/core/values.ts';
import { json, mutated, text } from '../inputs.ts';
import { holds, type Target, target } from '../target.ts';

const units = [
  '',
  'n',
  'u',
  'm',
  'k',
  'M',
  'G',
  'T',
  'P',
  'E',
  'Ki',
  'Mi',
  'Gi',
  'Ti',
  'Pi',
  'Ei',
  'e3',
  'E-9',
  'e+99',
];
const quantity = text(['0', '1', '9', '.', '-', '+', '1000', ...units], 2_000);
const selector = {
  matchLabels: { app: 'web', tier: 'a' },
  matchExpressions: [
    { key: 'app', operator: 'In', values: ['web', 'api'] },
    { key: 'old', operator: 'DoesNotExist' },
  ],
};
const word = text(['cat', '/etc', '/', '*', '**', '..', '-', '--', ' ', '...', "'", '$(', 'a'], 300);

export const kubernetes: readonly Target[] = [
  target(
    'quantity',
    'A quantity is a number or none; of two, one is larger either way round; a sum is a quantity.',
    fc.tuple(quantity, quantity),
    ([a, b]) => {
      holds(
        Math.sign(compareQuantities(a, b)) === -Math.sign(compareQuantities(b, a)),
        'each is larger than the other',
      );
      const sum = sumOf([a, b]);
      holds(billionths(sum) !== undefined, `their sum is ${sum.slice(0, 100)}, which is none`);
      holds(barOf(shareOf(a, b)).length < 60, 'the bar is too long');
      const { success, data } = Quantity.safeParse(a);
      holds(!success || billionths(data) !== undefined, 'it is taken, and is none');
    },
  ),
  target(
    'selector',
    'Any JSON selects labels or does not, and is told in words.',
    fc.tuple(fc.oneof(mutated([selector], ['In', 'matchLabels']), json()), json(['app', 'web'])),
    ([said, labels]) => {
      const parsed = Json.safeParse(said);
      if (!parsed.success) return;
      selects(parsed.data, labelsOf(Json.safeParse(labels).data));
      selectorText(parsed.data);
    },
  ),
  target(
    'names',
    'A name is one, or is refused by its schema.',
    text(['deployment/', 'sts/', 'web', '-', '.', '/', 'a'], 2_000),
    (name) => void [ObjectName.safeParse(name), WorkloadRef.safeParse(name)],
  ),
  target(
    'command-pattern',
    'A pattern allows a command or does not, and what a wildcard stands for never climbs.',
    fc.tuple(text(['cat ', '/etc/', '*', '**', ' ...', 'a', '-'], 100), fc.array(word, { maxLength: 5 })),
    ([said, command]) => {
      const { success, data } = CommandPattern.safeParse(said);
      if (!success) return;
      const allowed = allowsCommand(data, command);
      const climbs = command.some((each) => each.split('/').includes('..'));
      holds(!allowed || !climbs || data.includes('..'), 'it climbs');
      commandText(command);
    },
  ),
  target(
    'command-text',
    'A command as it is written has the words that it had.',
    fc.array(fc.string({ unit: fc.constantFrom(...'ab /.-$"\\*&;|'), minLength: 1, maxLength: 8 }), { maxLength: 5 }),
    (command) => {
      const said = commandText(command);
      const read = [...said.matchAll(/(?:'([^']*)'|[^\s'])+/g)].map(([whole]) => whole.replaceAll("'", ''));
      holds(isDeepStrictEqual(read, command), `it is read as ${JSON.stringify(read)}`);
    },
  ),
];
