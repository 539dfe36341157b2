import fc from 'fast-check';
import { Freeze, frozen } from '../../src/core/freeze.ts';
import { Duration, durationMs, Percentage, Switch } from '../../src/core/values.ts';
import { cronProblem } from '../../src/operations/harbor/cron.ts';
import { json, mutated, text } from '../inputs.ts';
import { holds, type Target, target } from '../target.ts';

const freeze = {
  name: 'f',
  timeZone: 'Europe/Berlin',
  weekly: { days: ['fri', 'sat'], from: '16:00', to: '06:00' },
  except: { operations: [], who: [], on: ['2026-12-24'] },
};
const once = { name: 'f', from: '2026-12-20T18:00', to: '2026-12-27T06:00' };
const words = ['Pacific/Apia', 'America/St_Johns', '24:00', '00:00', '23:59', 'sun', '2026-02-30', 'utc'];

export const times: readonly Target[] = [
  target(
    'duration',
    'A duration is a whole number of milliseconds, or none; a schema takes its own output again.',
    text(['1', '9', '.', ' ', 'ms', 's', 'm', 'h', 'd', 'w', 'minutes', 'hour', '1h', '1e9']),
    (said) => {
      const ms = durationMs(said);
      holds(ms === undefined || (Number.isInteger(ms) && ms >= 0), `it is ${ms} ms`);
      const { success, data } = Duration.safeParse(said);
      holds(!success || Duration.parse(data) === data, 'its own output is another');
    },
  ),
  target(
    'share',
    'A share or a switch is read or refused, whatever it is.',
    fc.oneof(json(['25%', 'yes']), text(['1', '.', '%', ' '])),
    (said) => {
      const { success, data } = Percentage.safeParse(said);
      holds(!success || (data >= 0 && data <= 100), 'it is no share');
      Switch.safeParse(said);
    },
  ),
  target(
    'cron',
    'A time is one that Harbor takes, or it is said what is wrong.',
    text(['0 ', '* ', '*/5 ', '1-5 ', '?', ',', '/', '-', 'mon', 'jan', ' ', '59', '60']),
    (said) => {
      const problem = cronProblem(said);
      holds(problem !== undefined || said.split(' ').length === 6, 'it has not six fields');
    },
  ),
  target(
    'freeze',
    'A freeze is refused, or ends after it began.',
    fc.tuple(mutated([freeze, once], words), fc.integer({ min: 0, max: 4_000_000_000_000 })),
    ([said, at]) => {
      const { success, data } = Freeze.safeParse(said);
      if (!success) return;
      const found = frozen([data], { at, env: 'e', app: 'a', operation: 'o' }, () => false);
      holds(found?.until === undefined || found.until > at - 60_000, `it ends at ${found?.until}`);
    },
    { ms: 1_000 },
  ),
];
