import fc from 'fast-check';
import { createBuildLog } from '../../src/clients/docker/build-log.ts';
import { createFrames, createKept } from '../../src/clients/docker/frames.ts';
import { rulesIn } from '../../src/clients/docker/ignore.ts';
import { findingsIn, SarifReport, TrivyReport } from '../../src/clients/trivy/report.ts';
import { frontendsOf, instructionsOf, lineOf, partOf } from '../../src/core/dockerfile.ts';
import { bundleShape, imageConfigShape, manifestShape, statementShape } from '../../src/core/document-shapes.ts';
import { Bundle, SimpleSigning, Statement, subjectsOf } from '../../src/core/in-toto.ts';
import { readOneWay } from '../../src/core/one-reading.ts';
import { json, mutated, pieces, text, written } from '../inputs.ts';
import { holds, type Target, target } from '../target.ts';

const dockerfile = text([
  'FROM scratch\n',
  'FROM --platform=$BUILDPLATFORM a AS b\n',
  'RUN a \\\n',
  'RUN <<EOF\n',
  'COPY <<-"A" <<B /x\n',
  'EOF\n',
  '# syntax=docker/dockerfile:1\n',
  '// syntax = a\n',
  '#escape=`\n',
  '{"syntax": "a"}\n',
  '`\n',
  '\\\n',
  '\n',
  '# ',
  '#',
  'ARG A=',
  '<<',
  '[internal] ',
  '[a 1/2] RUN a',
]);

const rules = text(
  [
    '*',
    '**',
    '**/',
    '/**',
    '!',
    '?',
    '[a-z]',
    '[^a]',
    '[',
    ']',
    '\\*',
    'a',
    'b',
    '/',
    './',
    '../',
    '.log',
    '\n',
    '# ',
    '(a+)+',
    '(a|a)*',
    '$',
    '^',
    '{9}',
    '+',
    '|',
  ],
  2_000,
);
const path = text(['a', 'aa', 'b', '/', '.log', '-', '(', '\n'], 1_000);

const logLine = JSON.stringify({
  vertexes: [{ digest: 'd', name: '[a 1/2] RUN a', started: 'x', completed: 'y', error: 'z' }],
  logs: [{ vertex: 'd', data: 'YQo=' }],
});

const report = {
  SchemaVersion: 2,
  Trivy: { Version: '0.74.0' },
  Results: [
    {
      Target: 'a/%zz',
      Class: 'os-pkgs',
      Vulnerabilities: [
        { VulnerabilityID: 'CVE-1', PkgName: 'musl', FixedVersion: '1', Severity: 'HIGH', PkgPath: 'a b' },
      ],
      Misconfigurations: [{ ID: 'DS-1', Severity: 'LOW', Message: 'm' }],
      Secrets: [{ RuleID: 'aws', Severity: 'CRITICAL', Title: 't' }],
    },
  ],
};
const part = { mediaType: 'a', digest: `sha256:${'a'.repeat(64)}`, size: 1, annotations: { a: 'b' } };
const manifest = { schemaVersion: 2, mediaType: 'm', config: part, layers: [part], manifests: [part] };
const imageConfig = {
  os: 'linux',
  config: { Env: ['A=1'], Labels: { a: 'b' } },
  rootfs: { type: 'layers', diff_ids: ['a'] },
};
const statement = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'a', digest: { sha256: 'a' } }],
  predicateType: 'x',
  predicate: {},
};

export const builds: readonly Target[] = [
  target('dockerfile', 'A Dockerfile’s instructions stand in lines that it has.', dockerfile, (source) => {
    const lines = source.split(/\r?\n/).length;
    const found = instructionsOf(source);
    holds(
      found.every(({ line }) => line >= 1 && line <= lines),
      `there is no such line: ${JSON.stringify(found)}`,
    );
    frontendsOf(source);
    for (const { text: named } of found.slice(0, 5))
      holds(
        lineOf(source, `[a 1/2] ${named}`) !== undefined || !partOf(`[a 1/2] ${named}`),
        'an instruction is not found again',
      );
  }),
  target(
    'ignore-file',
    'Rules are read or refused, and a path fits or not, in a time that grows with their length alone.',
    fc.tuple(rules, fc.array(path, { maxLength: 3 })),
    ([source, paths]) => {
      const { ignores, mayMatch, mayHold } = rulesIn(source);
      for (const each of paths) {
        mayHold(each);
        const out = ignores(each);
        holds(
          !out || each.split('/').some(mayMatch),
          `${JSON.stringify(each)} is left out, and no rule is about its names`,
        );
      }
    },
    { refuses: [SyntaxError] },
  ),
  target(
    'build-log',
    'Whatever a builder says is told in lines of a bounded length.',
    fc.array(fc.oneof(mutated([JSON.parse(logLine)]).map(written), text([logLine, '{', 'ERROR: ', '}'])), {
      maxLength: 10,
    }),
    (lines) => {
      const told: string[] = [];
      const log = createBuildLog(
        ({ text: line }) => void told.push(line),
        (line) => line,
      );
      for (const line of lines) log.read(line);
      log.failed();
      holds(log.said().length <= 8_000, 'too much is kept of it');
    },
  ),
  target(
    'docker-frames',
    'What was said in frames is heard whole, however the stream is cut.',
    pieces(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }).map((all) =>
        Buffer.concat(
          all.map((part, n) => {
            const head = Buffer.alloc(8);
            head[0] = 1 + (n % 2);
            head.writeUInt32BE(part.length, 4);
            return Buffer.concat([head, part]);
          }),
        ),
      ),
    ),
    ({ whole, parts }) => {
      const hear = (all: readonly Buffer[]) => {
        const heard: Buffer[] = [];
        const frames = createFrames((part) => void heard.push(Buffer.from(part)));
        for (const part of all) frames(part);
        return Buffer.concat(heard).toString('hex');
      };
      holds(hear(parts) === hear([whole]), 'it is heard otherwise');
    },
  ),
  target(
    'docker-noise',
    'A stream of anything is kept up to its limit.',
    pieces(fc.uint8Array({ maxLength: 4_000 }).map((all) => Buffer.from(all))),
    ({ parts }) => {
      const kept = createKept(100);
      const frames = createFrames((part) => kept.add(part));
      for (const part of parts) frames(part);
      holds(Buffer.byteLength(kept.end().output) <= 3 * 100, 'too much is kept of it');
    },
  ),
  target(
    'scan-report',
    'A scanner’s report is one, or is refused by its schema.',
    mutated([report], ['HIGH']),
    (said) => {
      const { success, data } = TrivyReport.safeParse(said);
      if (success) findingsIn(data);
      SarifReport.safeParse(said);
    },
  ),
  target(
    'registry-document',
    'What a registry keeps is read or refused with a word about it; what is read is read again as the same.',
    fc.oneof(
      mutated([manifest, imageConfig]).map(written),
      text(['{', '}', '[', ']', ':', ',', '"layers"', '"Layers"', '"a"', '"\\ud800"', '1', '1e2', 'null', ' ', '\n']),
    ),
    (said) => {
      for (const shape of [manifestShape, imageConfigShape, statementShape, bundleShape]) {
        const reading = readOneWay(Buffer.from(said), shape);
        if (reading.kind === 'ambiguous') holds(reading.problem.length < 200, 'the word is too long');
        if (reading.kind !== 'read') continue;
        const again = readOneWay(Buffer.from(JSON.stringify(reading.value)), shape);
        holds(again.kind === 'read', `it is read again as ${JSON.stringify(again)}`);
      }
    },
  ),
  target(
    'attestation',
    'What lies beside an image is a statement, or is refused by its schema.',
    fc.oneof(mutated([statement]), json()),
    (said) => {
      const { success, data } = Statement.safeParse(said);
      if (success) subjectsOf(data);
      Bundle.safeParse(said);
      SimpleSigning.safeParse(said);
    },
  ),
];
