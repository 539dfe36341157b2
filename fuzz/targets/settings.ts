import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parse } from 'yaml';
import { ConfigurationError } from '../../src/config/configuration-error.ts';
import { readEnvironment } from '../../src/config/environment.ts';
import { parseSettings } from '../../src/config/settings-file.ts';
import { variables } from '../../src/config/variables.ts';
import { catalogue } from '../../src/operations/catalogue.ts';
import { mutated, text, written } from '../inputs.ts';
import { holds, type Target, target } from '../target.ts';

const operations = [...catalogue.keys()];
const file = { name: 'shipmate.yaml', folder: '/srv' };
const example: unknown = parse(readFileSync(new URL('../../shipmate.example.yaml', import.meta.url), 'utf8'));

const read = (said: string): void => {
  try {
    parseSettings(said, file, operations);
  } catch (thrown) {
    holds(!(thrown instanceof ConfigurationError) || thrown.faults.length > 0, 'nothing is said of what is wrong');
    throw thrown;
  }
};
const refuses = [ConfigurationError];

export const settings: readonly Target[] = [
  target(
    'settings',
    'Settings are in force, or refused with all that is wrong.',
    mutated([example], ['everyone', '*', '10m']).map(written),
    read,
    { refuses, ms: 1_000 },
  ),
  target(
    'settings-text',
    'A text is settings, or is refused with what is wrong.',
    text([
      'apps: ',
      'environments: ',
      '{',
      '}',
      'web: ',
      'image: r/web',
      '\n',
      '  ',
      '- ',
      '&a ',
      '*a',
      '<<: ',
      '!!map ',
      '---\n',
      '[',
      ']',
      '"',
    ]),
    read,
    { refuses, ms: 1_000 },
  ),
  target(
    'environment',
    'An environment is in force, or refused with all that is wrong.',
    fc.array(
      fc.tuple(
        fc.constantFrom(...Object.keys(variables)),
        text(['http://', 'redis://', 'a', '1', ':', '/', '@', 'true', '-----BEGIN '], 300),
      ),
    ),
    (all) => void readEnvironment(Object.fromEntries(all)),
    { refuses },
  ),
];
