import dockerignore from '@balena/dockerignore';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rulesIn } from '../../src/clients/docker/ignore.ts';

const letters = ['a', 'b', '.', '/', '*', '**', '?', '!', '**/', '/**', '[ab]', '-', '$', ' ', '\\*', '/./'];
const line = fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: 7 }).map((parts) => parts.join(''));
const segment = fc.array(fc.constantFrom('a', 'b', '.', '-', '*', '$'), { minLength: 1, maxLength: 3 });
const path = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map((all) => all.map((each) => each.join('')).join('/'))
  .filter((each) => !each.split('/').some((name) => name === '.' || name === '..'));

const theirs = (rules: string, file: string): boolean | undefined => {
  try {
    return dockerignore.default({ ignorecase: false }).add(rules).ignores(file);
  } catch {
    return undefined;
  }
};
const ours = (rules: string, file: string): boolean | undefined => {
  try {
    return rulesIn(rules).ignores(file);
  } catch {
    return undefined;
  }
};

/** Of `a**` the library is not of BuildKit's mind: it looks at fewer of the folders on the way. */
const isOdd = (rule: string) => /[^/!\s]\*\*|\*\*[^/\s]/.test(rule);

test('a file is left out where Docker’s own reading leaves it out', () => {
  const rule = line.filter((each) => !isOdd(each));
  const cases = fc.tuple(fc.array(rule, { minLength: 1, maxLength: 3 }), path);
  fc.assert(
    fc.property(cases, ([lines, file]) => {
      const rules = lines.join('\n');
      const [own, known] = [ours(rules, file), theirs(rules, file)];
      if (own !== undefined && known !== undefined) expect(own, `${JSON.stringify(rules)} ${file}`).toBe(known);
    }),
    { numRuns: 20_000 },
  );
});

test.each([
  ['*a*a*a*a*a*a*a*a*a*a*a*b', 'a'.repeat(255)],
  ['**/a/**/a/**/a/**/a/**/a/**/b', 'a/'.repeat(2_000)],
  ['(a+)+$', `${'a'.repeat(200)}!`],
  ['(a|a)*b', 'a'.repeat(200)],
])('rules that were made to take for ever take no time: %s', (rule, file) => {
  const { ignores, mayMatch } = rulesIn(`${rule}\n`);
  const before = process.threadCpuUsage();
  expect(ignores(file.replace(/\/$/, ''))).toBe(false);
  mayMatch(file.replaceAll('/', ''));
  const { user, system } = process.threadCpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(500);
});

test.each(['[a', 'a\\d', '!', 'x[', '[]'])('what BuildKit may read otherwise is refused: %s', (rule) => {
  expect(() => rulesIn(rule)).toThrow();
});
