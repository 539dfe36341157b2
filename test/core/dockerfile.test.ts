import { expect, test } from 'vitest';
import { frontendsOf, instructionsOf, lineOf, partOf } from '../../src/core/dockerfile.ts';

const text = `# syntax-free
FROM node AS base
RUN npm ci && \\
    # a comment in between
    npm run build
COPY <<EOF /app/x
RUN this is no instruction
EOF
FROM base
ARG VERSION
RUN echo $VERSION
`;

test('instructions are told with their lines, also over several of them', () => {
  expect(instructionsOf(text)).toEqual([
    { line: 2, text: 'FROM node AS base' },
    { line: 3, text: 'RUN npm ci && npm run build' },
    { line: 6, text: 'COPY <<EOF /app/x' },
    { line: 9, text: 'FROM base' },
    { line: 10, text: 'ARG VERSION' },
    { line: 11, text: 'RUN echo $VERSION' },
  ]);
});

test('what BuildKit calls an instruction leads to its line, also where arguments are filled in', () => {
  expect(lineOf(text, '[base 2/3] RUN npm ci &&     npm run build')).toBe(3);
  expect(lineOf(text, '[linux/arm64 stage-1 2/2] RUN echo v2')).toBe(11);
  expect(lineOf(text, '[internal] load build context')).toBeUndefined();
  expect(partOf('[linux/arm64 base 2/5] RUN x')).toEqual({
    stage: 'linux/arm64 base',
    step: 2,
    steps: 5,
    text: 'RUN x',
  });
  expect(partOf('[2/5] RUN x')).toEqual({ stage: '', step: 2, steps: 5, text: 'RUN x' });
});

test.each([
  ['# syntax=docker/dockerfile:1\nFROM x', ['docker/dockerfile:1']],
  ['#!/usr/bin/env docker\n# escape=`\n#SYNTAX = a/b:1\nFROM x', ['a/b:1']],
  ['\ufeff// syntax=a/b:1\nFROM x', ['a/b:1']],
  ['# a word\n\n# syntax=a/b:1\r\nFROM x', ['a/b:1']],
  // BuildKit reads the first of a kind, and `#` before `//`: whichever it takes is among these.
  ['// syntax=good/one:1\n# syntax=evil/one:1\nFROM x', ['good/one:1', 'evil/one:1']],
  // Go’s blanks are not JavaScript’s.
  ['#\u0085syntax=evil/one:1\nFROM x', ['evil/one:1']],
  ['# syntax=good/one:1\tmore\nFROM x', ['good/one:1\tmore']],
  ['# syntax=good/one:1 more\nFROM x', ['good/one:1']],
  ['{"syntax": "a/b:1"}', ['in JSON']],
  [String.raw`{"\u0073yntax": "evil/one:1"}`, ['in JSON']],
  ['{"syntax": "good/one:1", "syntax": "evil/one:1"}', ['in JSON']],
  ['#!/usr/bin/env docker\n \r\n\t{"Syntax": "evil/one:1"}', ['in JSON']],
  ['\ufeff{', ['in JSON']],
  ['FROM x\n# syntax=a/b:1', []],
  ['FROM x\nRUN echo {"syntax": "a/b:1"}', []],
  ['', []],
])('every frontend that BuildKit may read in a Dockerfile is found: %j', (dockerfile, frontends) => {
  expect(frontendsOf(dockerfile)).toEqual(frontends);
});
