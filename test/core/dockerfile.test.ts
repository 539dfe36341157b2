import { expect, test } from 'vitest';
import { frontendOf, instructionsOf, lineOf, partOf } from '../../src/core/dockerfile.ts';

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
  ['# syntax=docker/dockerfile:1\nFROM x', 'docker/dockerfile:1'],
  ['#!/usr/bin/env docker\n# escape=`\n#SYNTAX = a/b:1\nFROM x', 'a/b:1'],
  ['\ufeff// syntax=a/b:1\nFROM x', 'a/b:1'],
  ['{"syntax": "a/b:1"}', 'a/b:1'],
  ['# a word\n\n# syntax=a/b:1\r\nFROM x', 'a/b:1'],
  ['FROM x\n# syntax=a/b:1', undefined],
  ['', undefined],
])('a frontend that a Dockerfile asks for is found: %j', (dockerfile, frontend) => {
  expect(frontendOf(dockerfile)).toBe(frontend);
});
