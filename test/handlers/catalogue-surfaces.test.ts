import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { openApi } from '../../handlers/http/openapi.ts';
import { routesOf } from '../../handlers/http/route-request.ts';
import { readInput, spoken, usageOf } from '../../handlers/slack/grammar.ts';
import { helpView, subjectHelp } from '../../handlers/slack/help.ts';
import { commandsOf, manifestOf } from '../../handlers/slack/manifest.ts';
import { operationModal } from '../../handlers/slack/modal.ts';
import { parseSettings } from '../../src/config/settings-file.ts';
import { checkInput } from '../../src/engine/request.ts';
import { catalogue } from '../../src/operations/catalogue.ts';
import { testSettings } from '../support/engine.ts';

/** Every operation is on every surface, those added later too. */

const description = JSON.stringify(openApi(catalogue));
const overview = JSON.stringify(helpView(catalogue).blocks);
const manifest = JSON.stringify(manifestOf(catalogue, { requestUrl: 'https://shipmate.example.com/slack/events' }));

test.each([...catalogue.values()].map((operation) => [operation.name, operation] as const))('%s', (name, operation) => {
  for (const example of operation.examples) {
    const input = checkInput(operation, readInput(operation, example));
    expect(
      checkInput(operation, input),
      'input is checked at every door: what was read is read again as the same',
    ).toEqual(input);
  }
  expect(operation.examples.length).toBeGreaterThan(0);
  const help = JSON.stringify(subjectHelp(catalogue, operation.subject).blocks);
  expect(overview).toContain(`\`${spoken(name)}\``);
  expect(help).toContain(
    JSON.stringify(usageOf(operation).replaceAll('<', '&lt;').replaceAll('>', '&gt;')).slice(1, -1),
  );
  expect(help).toContain(operation.summary);
  if (operation.command) expect(manifest).toContain(`"command":"${operation.command.split(' ')[0]}"`);

  const form = operationModal(operation, testSettings, 'C1');
  const plain = [...operation.fields].filter(([, { type }]) => type !== 'object' && type !== 'array');
  expect(form.blocks.map(({ block_id }) => block_id)).toEqual(plain.map(([field]) => field));

  for (const { path } of routesOf(operation))
    expect(description).toContain(`"/api/v1/cloud-native${path.replace(/:(\w+)/g, '{$1}')}"`);
  expect(description).toContain(`"/api/v1/cloud-native/operations/${name}"`);

  const policy = `apps: {}\nenvironments: {}\npolicy: [{name: x, operations: [${name}]}]\n`;
  expect(parse(policy)).toBeTruthy();
  expect(() => parseSettings(policy, { name: 'f', folder: '/' }, [...catalogue.keys()])).not.toThrow();
});

test('Slack takes the hint, and every word of it can be asked for', () => {
  const hint = commandsOf(catalogue)[0]?.usageHint ?? '';
  expect(hint.length).toBeLessThanOrEqual(1_000);
  const [help, ...words] = hint.split(' | ').reverse();
  expect(`${help}`).toContain('COMMAND');
  for (const word of words.filter((each) => !each.startsWith('help')))
    expect(catalogue.has(word.replaceAll(' ', '-')), word).toBe(true);
});
