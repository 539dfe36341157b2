import { expect, test } from 'vitest';
import { merged } from '../../../src/core/effects/effects.ts';

const touch = (operation: string, from?: number, to?: number) => ({
  app: 'web',
  env: 'staging',
  operations: ['release', operation],
  ...(from !== undefined && to !== undefined && { replicas: { from, to } }),
});

test('an app that is touched twice is one subject, with all that is asked of it', () => {
  const other = { env: 'staging', operations: ['apply'] };
  expect(merged([touch('scale', 1, 2), other, touch('deploy'), touch('scale', 1, 2)])).toEqual([
    { app: 'web', env: 'staging', operations: ['release', 'scale', 'deploy'], replicas: { from: 1, to: 2 } },
    other,
  ]);
});

test('of changes of its size none is left out, whichever comes last', () => {
  const [much, last] = [touch('scale', 9, 1), touch('scale', 1, 0)];
  for (const given of [
    [much, last],
    [last, much],
  ])
    expect(merged(given)).toEqual([last, much]);
});
