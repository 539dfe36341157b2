import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { readManifest } from '../../src/operations/manifests/read.ts';
import { readApart } from '../../src/operations/manifests/read-apart.ts';

/** Manifests come from people, editors and whoever wants to do harm. Whatever the text, the answer is objects or a sentence. */

const problemOf = (text: string): string => {
  const reading = readManifest(text);
  if (reading.kind === 'bad') return reading.problem;
  throw new Error(`read as ${JSON.stringify(reading.entries)}`);
};
const objectsOf = (text: string) => {
  const reading = readManifest(text);
  if (reading.kind === 'objects') return reading.entries.map(({ object }) => object);
  throw new Error(reading.problem);
};
const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n';

test.each<[string, string, string]>([
  [
    'a key twice',
    `${head}data:\n  x: 1\n  x: 2\n`,
    'line 7, column 3: the key “x” is there twice; the first one is in line 6',
  ],
  ['a key twice in JSON', '{"kind": "A", "kind": "B"}', 'column 15: the key “kind” is there twice'],
  [
    'an indentation too deep',
    `${head}   labels: x\n`,
    'line 5 (“labels: x”) is indented deeper than line 4 (“name: a”)',
  ],
  ['an indentation too shallow', 'a:\n   b: 1\n  c: 2\n', 'line 3, column 1 (“c: 2”): the indentation does not fit'],
  ['a tab', `${head}data:\n\tx: 1\n`, 'line 6, column 1 (“x: 1”): there is a tab'],
  ['a colon in a text', `${head}data:\n  x: note: this\n`, 'line 6, column 6 (“x: note: this”): a colon with a space'],
  ['a quote left open', `${head}data:\n  x: "open\n`, 'closing "quote'],
  ['a template', 'image: {{ .Values.image }}\n', 'a template'],
  ['a template’s condition', `{{- if .Values.on }}\n${head}{{- end }}\n`, 'render it first'],
  ['a merge conflict', `<<<<<<< HEAD\n${head}=======\n`, 'conflict of a merge'],
  ['a tag', `${head}data: !Ref x\n`, 'tags such as !Ref are not taken'],
  ['a binary tag', `${head}data: {x: !!binary aGk=}\n`, 'tags such as !!binary are not taken'],
  ['a number that would lose digits', `${head}data: {x: 12345678901234567890}\n`, 'write it in quotes'],
  ['a number that is none', `${head}data: {x: .inf}\n`, 'a number that JSON does not have'],
  ['an alias of nothing', `${head}data: {x: *none}\n`, 'there is no &none before it'],
  ['an alias of itself', `${head}data: &d {x: *d}\n`, '&d contains itself'],
  ['a prototype', `${head}__proto__: {polluted: true}\n`, '__proto__ is not taken'],
  ['a list', '- a\n- b\n', 'a document that is no object, but ["a","b"]'],
  ['a text', 'hello\n', 'a document that is no object'],
  ['nothing', '', 'no object in it'],
  ['comments only', '# a\n---\n# b\n', 'no object in it'],
  ['no kind', 'metadata: {name: a}\n', 'line 1: an object without a kind'],
  ['no name', `${head}---\napiVersion: v1\nkind: Pod\nmetadata: {}\n`, 'line 6: Pod has no name'],
  ['a number as name', 'apiVersion: v1\nkind: Pod\nmetadata: {name: 5}\n', 'write it in quotes'],
  ['a generated name', 'apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n', 'Give it a name'],
  ['too many documents', `${head}---\n`.repeat(201), 'has 201 objects'],
  ['far too many documents', '---\na: 1\n'.repeat(50_000), 'more than 200 documents'],
  ['too deep', `a: ${'['.repeat(150)}${']'.repeat(150)}`, 'more than 100 levels deep'],
  ['much too deep', `a: ${'['.repeat(3_000)}`, 'nested too deeply'],
])('%s is refused, and said where', (_name, text, problem) => {
  expect(problemOf(text)).toContain(problem);
});

test('aliases that multiply are stopped, honest ones are not', () => {
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh', 'hi'].map((pair) => pair.split('')))
    bomb.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(', ')}]`);
  const began = Date.now();
  expect(problemOf(bomb.join('\n'))).toContain('aliases (*…) make more than 10000 values');
  expect(Date.now() - began).toBeLessThan(2_000);
  const [object] = objectsOf(`${head}x: &x {a: 1}\ny: *x\nz:\n  <<: *x\n  b: 2\n`);
  expect(object).toMatchObject({ y: { a: 1 }, z: { a: 1, b: 2 } });
});

test('values are what kubectl makes of them', () => {
  const text = `${head}data:\n  mode: 0644\n  on: yes\n  when: 2026-11-25\n  ratio: 1:30\n  long: |\n    two\n    lines\n  empty: ~\n`;
  expect(objectsOf(text)[0]?.data).toEqual({
    mode: 0o644,
    on: true,
    when: '2026-11-25',
    ratio: '1:30',
    long: 'two\nlines\n',
    empty: null,
  });
  expect(objectsOf(`\uFEFF${head}`.replaceAll('\n', '\r\n'))).toHaveLength(1);
  const list = `apiVersion: v1\nkind: List\nitems:\n  - ${head.replaceAll('\n', '\n    ')}\n`;
  expect(objectsOf(list)).toMatchObject([{ kind: 'ConfigMap', metadata: { name: 'a' } }]);
  expect(Object.getPrototypeOf({})).not.toHaveProperty('polluted');
});

test('a map of many keys takes no time to speak of, as long as the library is not asked to compare them', () => {
  const keys = Array.from({ length: 20_000 }, (_, index) => `  k${index}: v\n`).join('');
  const began = Date.now();
  expect(Object.keys(objectsOf(`${head}data:\n${keys}`)[0]?.data ?? {})).toHaveLength(20_000);
  expect(Date.now() - began).toBeLessThan(20_000);
});

test('a text that would take a minute is given up, and meanwhile other work goes on', async () => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 10);
  await expect(readApart('[]'.repeat(400_000), new AbortController().signal, 1_500)).rejects.toThrow(
    'too long to read',
  );
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(20);
});

test('a long manifest comes back from its thread as it went in', async () => {
  const text = Array.from({ length: 150 }, (_, index) => head.replace('name: a', `name: map-${index}`)).join('---\n');
  const entries = await readApart(text, new AbortController().signal);
  expect(entries.map(({ object, line }) => [object.metadata, line])[149]).toEqual([{ name: 'map-149' }, 149 * 5 + 1]);
});

test('whatever the text, there is an answer', { timeout: 60_000 }, () => {
  const piece = fc.constantFrom(
    ...'{}[]:,-?|>&*!%@`"\'#\n\t \\~=<.',
    'a',
    ': ',
    '- ',
    '---\n',
    '&a ',
    '*a',
    '<<: ',
    '!!str ',
    '\u0000',
    '💥',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.string(), (pieces, rest) => {
      for (const text of [pieces.join(''), head + pieces.join(''), rest]) {
        const reading = readManifest(text);
        if (reading.kind === 'bad') expect(reading.problem.length).toBeGreaterThan(5);
        else expect(() => JSON.stringify(reading.entries)).not.toThrow();
      }
    }),
    { numRuns: 1_000, seed: 7 },
  );
});

test('every object survives being written as YAML or JSON, one letter wrong or not', { timeout: 60_000 }, () => {
  const object = fc.record({
    apiVersion: fc.constant('v1'),
    kind: fc.constant('ConfigMap'),
    metadata: fc.constant({ name: 'a' }),
    data: fc.dictionary(
      fc.string().filter((key) => !['', '__proto__', '<<'].includes(key)),
      fc.string(),
    ),
    more: fc.jsonValue({ maxDepth: 4 }).filter((value) => !/__proto__|"<<"|"":|\d{16}/.test(JSON.stringify(value))),
  });
  fc.assert(
    fc.property(object, fc.nat(), (made, at) => {
      const plain = JSON.parse(JSON.stringify(made));
      const texts = [JSON.stringify(plain), stringify(plain, { version: '1.1', schema: 'yaml-1.1' })];
      for (const text of texts) {
        expect(objectsOf(text)).toEqual([plain]);
        const broken = `${text.slice(0, at % text.length)}\u0001${text.slice((at % text.length) + 1)}`;
        expect(['objects', 'bad']).toContain(readManifest(broken).kind);
      }
    }),
    { numRuns: 300, seed: 7 },
  );
});
