import { expect, test } from 'vitest';
import { endText } from '../../src/core/end-text.ts';

/** What is said of a run that is over. */

test.for([
  ['or*@production', 'or* in production is not locked any more.'],
  ['everything-else@*', 'everything-else everywhere is not locked any more.'],
  ['*@staging', 'Everything in staging is not locked any more.'],
  ['*@*', 'Everything is not locked any more.'],
])('a name stays as it is at the beginning of a sentence: %s', ([scope = '', words]) => {
  expect(endText({ kind: 'unlocked', scope })).toBe(words);
});

test('one place is one', () => {
  const app = { app: 'web', env: 'staging', replicas: 1, ready: 1, updated: 1 };
  expect(endText({ kind: 'status', apps: [app] })).toBe('1 place');
  expect(endText({ kind: 'status', apps: [app, app] })).toBe('2 places');
});
