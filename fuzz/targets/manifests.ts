import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { joinDocuments, splitDocuments } from '../../src/core/documents.ts';
import { readManifest } from '../../src/operations/manifests/read.ts';
import { ManifestInput, manifestFields } from '../../src/operations/manifests/source.ts';
import { text } from '../inputs.ts';
import { holds, type Target, target } from '../target.ts';

const words = [
  'apiVersion: v1\n',
  'kind: ConfigMap\n',
  'metadata:\n  name: a\n',
  'metadata: {name: a}\n',
  'data: {a: "1", b: yes, c: 0644, d: 1_000, e: 12:30:45}\n',
  'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n',
  '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"A","metadata":{"name":"a"}}]}\n',
  '---\n',
  '--- # file: a.yaml\n',
  '...\n',
  '&a ',
  '*a',
  '<<: *a\n',
  '!!str ',
  '!!binary ',
  '!!set ',
  '!<x> ',
  '%YAML 1.1\n',
  '? ',
  '- ',
  '|\n  ',
  '>-\n  ',
  '[',
  '{',
  '}',
  ']',
  ': ',
  ', ',
  '# ',
  '\t',
  '  ',
  '0x1f',
  '.inf',
  '~',
];

const name = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 }).filter((each) => each.trim() === each);

export const manifests: readonly Target[] = [
  target(
    'manifest',
    'A manifest is read, or what is wrong is said; what was read is read the same when it is written as JSON.',
    text(words),
    (manifest) => {
      const reading = readManifest(manifest);
      if (reading.kind === 'bad') return holds(reading.problem !== '', 'nothing is said of what is wrong');
      const objects = reading.entries.map(({ object }) => object);
      const again = readManifest(objects.map((object) => JSON.stringify(object)).join('\n---\n'));
      const same =
        again.kind === 'objects' &&
        isDeepStrictEqual(
          again.entries.map(({ object }) => object),
          objects,
        );
      holds(same, `it is read otherwise as JSON: ${JSON.stringify(again).slice(0, 300)}`);
    },
    { ms: 1_000 },
  ),
  target(
    'manifest-input',
    'A request with a manifest is taken or refused by its schema.',
    fc.record({
      env: text(['prod']),
      manifest: text(words),
      git: text(['https://github.com/a/b.git']),
      path: text(['a/']),
    }),
    (input) => void [ManifestInput.safeParse(input), manifestFields.manifest.safeParse(input.manifest)],
  ),
  target(
    'documents',
    'Files that were joined into one text come apart again as they were.',
    fc.array(fc.tuple(name, fc.constantFrom('a: 1\n', 'b: 2', '', '# x\n', 'a: |\n  --- x\n')), {
      minLength: 2,
      maxLength: 8,
    }),
    (files) => {
      const named = files.map(([each, content]) => ({ name: each.replace(/\s+/g, ' '), text: content }));
      const split = splitDocuments(joinDocuments(named)) ?? [];
      const tidy = (all: readonly { name: string; text: string }[]) =>
        all.map((one) => ({ ...one, text: one.text.trimEnd() }));
      holds(isDeepStrictEqual(tidy(split), tidy(named)), `they came apart as ${JSON.stringify(split)}`);
    },
  ),
  target('split', 'Any text comes apart into files, or is one.', text(words), (joined) => void splitDocuments(joined)),
];
