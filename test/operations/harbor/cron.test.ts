import { expect, test } from 'vitest';
import { cronProblem } from '../../../src/operations/harbor/cron.ts';

test.each(['0 30 3 * * *', '0 */15 * * * *', '0 0,30 8-18/2 ? jan-mar MON-fri', '0 5/10 0 1 1 0', '0 00 03 01 12 6'])(
  '%s is a time at which Harbor starts a rule',
  (said) => expect(cronProblem(said)).toBeUndefined(),
);

test.each([
  ['30 3 * * *', 'has 5 fields and must have six'],
  ['', 'has 1 fields'],
  ['@daily', 'has 1 fields'],
  ['0  30 3 * * *', 'has 7 fields'],
  ['0 60 3 * * *', 'has wrong minutes: they are from 0 to 59'],
  ['0 30 24 * * *', 'has wrong hours'],
  ['0 30 3 0 * *', 'has wrong days of the month'],
  ['0 30 3 * 13 *', 'has wrong months'],
  ['0 30 3 * * 7', 'has wrong days of the week: they are from 0 to 6'],
  ['0 30 3 * * mo', 'has wrong days of the week'],
  ['0 9-5 3 * * *', 'has wrong minutes'],
  ['0 5- 3 * * *', 'has wrong minutes'],
  ['0 */0 3 * * *', 'has wrong minutes'],
  ['0 5,, 3 * * *', 'has wrong minutes'],
  ['5 30 3 * * *', 'must begin with a 0'],
  ['* 30 3 * * *', 'must begin with a 0'],
  ['0 * 3 * * *', 'would start it every minute'],
])('“%s” %s', (said, problem) => expect(cronProblem(said)).toContain(problem));
