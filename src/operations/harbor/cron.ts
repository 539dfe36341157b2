/** The times at which Harbor starts something by itself, as its own parser reads them: six fields, in UTC. */

type Field = { name: string; from: number; to: number; words?: string };

const fields: readonly Field[] = [
  { name: 'seconds', from: 0, to: 59 },
  { name: 'minutes', from: 0, to: 59 },
  { name: 'hours', from: 0, to: 23 },
  { name: 'days of the month', from: 1, to: 31 },
  { name: 'months', from: 1, to: 12, words: 'jan feb mar apr may jun jul aug sep oct nov dec' },
  { name: 'days of the week', from: 0, to: 6, words: 'sun mon tue wed thu fri sat' },
];

function numberOf(said: string, { from, to, words }: Field): number | undefined {
  const word = words?.split(' ').indexOf(said.toLowerCase()) ?? -1;
  const value = word >= 0 ? word + from : /^\d{1,2}$/.test(said) ? Number(said) : undefined;
  return value !== undefined && value >= from && value <= to ? value : undefined;
}

/** `*`, `5`, `1-5`, each with `/2` behind it where it is every second of them. */
function isRange(said: string, field: Field): boolean {
  const [range = '', step = '1', ...more] = said.split('/');
  if (more.length > 0 || !/^0*[1-9]\d?$/.test(step)) return false;
  if (range === '*' || range === '?') return true;
  const [first = '', last = first, ...others] = range.split('-');
  const [low, high] = [numberOf(first, field), numberOf(last, field)];
  return others.length === 0 && low !== undefined && high !== undefined && low <= high;
}

/** What is wrong with a time at which a replication rule is to start, as the end of a sentence; undefined where nothing is. */
export function cronProblem(said: string): string | undefined {
  const parts = said.split(' ');
  if (parts.length !== fields.length)
    return `has ${parts.length} fields and must have six: seconds, minutes, hours, day of the month, month, day of the week, such as 0 30 3 * * *`;
  const wrong = fields.find((field, index) => !(parts[index] ?? '').split(',').every((each) => isRange(each, field)));
  if (wrong) return `has wrong ${wrong.name}: they are from ${wrong.from} to ${wrong.to}`;
  if (parts[0] !== '0') return 'must begin with a 0: Harbor starts rules at full minutes only';
  if (parts[1] === '*') return 'would start it every minute, which Harbor refuses: its second field must say which';
  return undefined;
}
