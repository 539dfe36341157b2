import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { rulesIn } from '../../src/clients/docker/ignore.ts';
import { located } from '../../src/clients/registry/caller.ts';
import { imageConfigShape, manifestShape } from '../../src/core/document-shapes.ts';
import { readOneWay, type Shape } from '../../src/core/one-reading.ts';
import { readByOthers } from '../support/readers.ts';

/** Undefined where this program refuses: then nobody has to read the same. */
function unlessRefused<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const pieced = (letters: readonly string[], maxLength: number) =>
  fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength }).map((parts) => parts.join(''));

const Ignored = z.union([z.object({ value: z.array(z.boolean()) }), z.object({ error: z.string() })]);
const plain = ['a', 'b', 'B', 'ab', '.', '/', '*', '**', '**/', '/**', '?', '!', '-', '$', '+', '(', ')', ',', '😀'];
const braces = ['{', '}', '{1}', '{2,}', '{,2}', '{01}', '{a,b}', '{a', 'b}', '{1,2', ',3}', '{1,2,3}'];
const strange = ['[ab]', '[^a]', '[!a]', '[a-c]', '[[:alpha:]]', '[', ']', '\\', '\\*', '|', '^', '#', ...braces];
const unseen = [' ', '\t', '\r', '\u0085', '\ufeff', '\u00a0', '\u2028', '/./', '/../', '..'];
const rule = fc.oneof(
  pieced(plain, 6),
  pieced([...plain, ...strange, ...unseen], 6),
  pieced(['a', 'b', '*', '?', '**/', '.', ',', ...braces], 6),
);
const name = pieced(['a', 'b', 'B', '.', '-', '*', '$', '+', '(', '|', '^', '[', ']', '\\', '!', '😀', ...braces], 3);
const path = fc
  .array(name, { minLength: 1, maxLength: 3 })
  .map((names) => names.join('/'))
  .filter((each) => !each.split('/').some((part) => part === '.' || part === '..'));

/** As a folder is walked through: what lies in a folder that is passed over is left out. */
function walked({ ignores, mayMatch, mayHold }: ReturnType<typeof rulesIn>, file: string): boolean {
  const parts = file.split('/');
  let near = false;
  for (const [n, part] of parts.entries()) {
    const here = parts.slice(0, n + 1).join('/');
    near ||= mayMatch(part);
    const out = near && ignores(here);
    if (here === file || (out && !mayHold(here))) return out;
  }
  return false;
}

test('an ignore file leaves out what BuildKit leaves out by it, or is refused', async () => {
  const rules = fc.array(rule, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\n'));
  const cases = fc.sample(fc.tuple(rules, fc.array(path, { minLength: 8, maxLength: 8 })), 20_000);
  const answers = await readByOthers(cases.map(([text, paths]) => ({ kind: 'ignore', text, paths })));
  let compared = 0;
  let braced = 0;
  const wrong = cases.flatMap(([text, paths], n) => {
    const ours = unlessRefused(() => rulesIn(text));
    if (!ours) return [];
    compared += 1;
    braced += Number(/[*?].*[{}]|[{}].*[*?]/.test(text));
    const theirs = Ignored.parse(answers[n]);
    if ('error' in theirs) return [`${JSON.stringify(text)} is refused by BuildKit: ${theirs.error}`];
    return paths
      .filter((file, at) => walked(ours, file) !== theirs.value[at])
      .map((file) => `${JSON.stringify(text)} ${JSON.stringify(file)}`);
  });
  expect(wrong).toEqual([]);
  expect(compared).toBeGreaterThan(2_000);
  expect(braced, 'rules with both wildcards and braces').toBeGreaterThan(500);
});

const Named = z.object({
  registry: z.string(),
  repository: z.string(),
  tag: z.string().optional(),
  digest: z.string().optional(),
});
const Referred = z.object({ value: z.object({ runtime: Named.nullable(), cosign: Named.nullable() }) });
const digest = `sha256:${'a'.repeat(64)}`;
const reference = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        ...[
          '',
          'docker.io/',
          'index.docker.io/',
          'Docker.io/',
          'docker.io:443/',
          'registry-1.docker.io/',
          'localhost/',
        ],
        ...[
          'LOCALHOST/',
          'localhost:5000/',
          'a.b:80/',
          'A.b/',
          'r:1/',
          'a-.b/',
          '-a.b/',
          'a_b.c/',
          'x.y./',
          'a..b/',
          'a:/',
        ],
      ),
      fc.constantFrom(
        ...[
          'a',
          'a/b',
          'library/a',
          'a__b',
          'a___b',
          'a.-b',
          'a--b/c',
          'A/b',
          'a..b',
          'a/../b',
          'localhost',
          'docker.io',
        ],
        ...[
          '_a',
          'a.b',
          'a'.repeat(64),
          `a/${'b'.repeat(64)}`,
          'x'.repeat(247),
          'x'.repeat(248),
          `a/${'x'.repeat(250)}`,
        ],
      ),
      fc.constantFrom('', ':v1', ':V_1.-', ':-a', `:${'a'.repeat(128)}`, `:${'a'.repeat(129)}`, ':a:b'),
      fc.constantFrom('', `@${digest}`, `@${digest.toUpperCase()}`, `@sha512:${'a'.repeat(128)}`, digest.slice(0, -1)),
    )
    .map((parts) => parts.join('')),
  pieced(
    ['a', 'b1', 'A', '.', '/', ':', '@', '-', '_', '__', 'x.y', 'docker.io', '5000', digest, '[::1]', ' ', '\n', 'ſ'],
    7,
  ),
);

test('an image reference names for the container runtime and for cosign what it names here, or is refused', async () => {
  const cases = fc.sample(reference, 20_000);
  const answers = await readByOthers(cases.map((text) => ({ kind: 'reference', text })));
  const hub = ['docker.io', 'index.docker.io'];
  let compared = 0;
  const wrong = cases.flatMap((text, n) => {
    const ours = unlessRefused(() => located(text));
    if (!ours) return [];
    compared += 1;
    const { runtime, cosign } = Referred.parse(answers[n]).value;
    const onHub = ours.registry === 'registry-1.docker.io' && !text.startsWith('registry-1.docker.io/');
    const same = [runtime, cosign].every(
      (theirs) =>
        theirs &&
        (onHub ? hub.includes(theirs.registry) : theirs.registry === ours.registry) &&
        theirs.repository === ours.repository &&
        theirs.digest === ours.digest &&
        // Cosign looks at no tag where there is a digest.
        (theirs.tag === ours.tag || (theirs === cosign && ours.digest !== undefined)),
    );
    return same ? [] : [`${JSON.stringify(text)}: ${JSON.stringify({ ours, runtime, cosign })}`];
  });
  expect(wrong).toEqual([]);
  expect(compared).toBeGreaterThan(1_000);
});

/** What this program reads of a document: keys that are a field's name to the letter, and what is in maps. */
function exactly(value: unknown, shape: Shape): unknown {
  if (Array.isArray(value)) return value.map((each) => exactly(each, shape));
  if (typeof value !== 'object' || value === null || typeof shape === 'string') return value;
  const known = Object.entries(value).filter(([key]) => shape.fields.has(key));
  return Object.fromEntries(known.map(([key, each]) => [key, exactly(each, shape.fields.get(key) ?? 'any')]));
}

const documents = { manifest: manifestShape, image: imageConfigShape };
/** A key's other forms: in another case, with Go's other forms of s and k, and with a dash. */
const miswritten = (key: string): string[] => [
  key,
  key.toUpperCase(),
  `${key.slice(0, 1).toUpperCase()}${key.slice(1)}`,
  key.toLowerCase(),
  key.replace(/s/i, 'ſ'),
  key.replace(/k/i, '\u212a'),
  `${key}s`,
  [...key].map((letter, n) => (n === 1 ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}` : letter)).join(''),
];
/** What Go takes for one: the others make it give up the whole document. */
const leaf = fc.constantFrom(
  '"a"',
  '"b"',
  '1',
  '2',
  'null',
  '1e2',
  '1.0',
  '"\\ud800"',
  '["a"]',
  '{}',
  '{"a":"b","A":"c"}',
);

const documentOf = (shape: Shape): fc.Arbitrary<string> => {
  if (typeof shape === 'string') return leaf;
  const field = fc
    .constantFrom(...shape.fields.entries())
    .chain(([key, below]) =>
      fc.tuple(
        fc.constantFrom(...miswritten(key)),
        fc.oneof({ weight: 3, arbitrary: documentOf(below) }, { weight: 1, arbitrary: leaf }),
      ),
    );
  return fc
    .array(field, { maxLength: 4 })
    .map((fields) => `{${fields.map(([key, value]) => `"${key}":${value}`).join(',')}}`)
    .chain((object) => fc.constantFrom(object, object, object, `[${object}]`));
};

test.each(['manifest', 'image'] as const)(
  'a document that is read here (%s) is read so by the structs of containerd and cosign',
  async (kind) => {
    const shape = documents[kind];
    const cases = fc.sample(documentOf(shape), 10_000).flatMap((text) => {
      const reading = readOneWay(Buffer.from(text), shape);
      return reading.kind === 'read' ? [{ text, ours: JSON.stringify(exactly(reading.value, shape)) }] : [];
    });
    const theirs = await readByOthers(cases.map(({ text }) => ({ kind, text })));
    const ofOurs = await readByOthers(cases.map(({ ours }) => ({ kind, text: ours })));
    const wrong = cases.filter((_, n) => JSON.stringify(theirs[n]) !== JSON.stringify(ofOurs[n]));
    expect(wrong.map(({ text }) => text)).toEqual([]);
    expect(cases.length).toBeGreaterThan(1_000);
  },
);
