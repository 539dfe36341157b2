import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { joinDocuments, splitDocuments } from '../../src/core/documents.ts';

const files = [
  { name: 'a.yaml', text: 'a: |\n  text\n' },
  { name: 'b\n---\nkind: Evil', text: '%YAML 1.1\n---\nb: 2' },
  { name: 'c.json', text: '{"c": 3}\n\n' },
];

test('files go into one text and come out of it again', () => {
  expect(splitDocuments(joinDocuments(files))).toEqual([
    { name: 'a.yaml', text: 'a: |\n  text\n' },
    { name: 'b --- kind: Evil', text: '%YAML 1.1\n---\nb: 2\n' },
    { name: 'c.json', text: '{"c": 3}\n' },
  ]);
});

test('whoever reads the text as YAML reads the same', () => {
  const joined = joinDocuments(files.filter(({ text }) => !text.startsWith('%')));
  expect(parseAllDocuments(joined).map((document) => document.toJS())).toEqual([{ a: 'text\n' }, { c: 3 }]);
});

test('one file is its own text', () => {
  expect(joinDocuments([{ name: 'a.yaml', text: 'a: 1' }])).toBe('a: 1');
});

test.each([
  ['a text', 'a: 1\n---\nb: 2\n'],
  ['what helm renders', '---\n# Source: web/templates/a.yaml\na: 1\n'],
  ['a text before the first file', 'a: 1\n--- # file: b.yaml\nb: 2\n'],
  ['more files than a message bears', '--- # file: x\n'.repeat(21)],
])('%s is one text', (_, text) => {
  expect(splitDocuments(text)).toBeUndefined();
});
