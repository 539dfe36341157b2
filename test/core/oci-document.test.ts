import { describe, expect, test } from 'vitest';
import { simpleSigningShape, statementShape } from '../../src/core/document-shapes.ts';
import { checkPart, readImageConfig, readManifest } from '../../src/core/oci-document.ts';
import { readOrNothing } from '../../src/core/one-reading.ts';

const source = { registry: 'r.example.com', image: 'r.example.com/web:v1' };
const oci = 'application/vnd.oci.image';
const [manifestType, indexType] = [`${oci}.manifest.v1+json`, `${oci}.index.v1+json`];
const blob = (more = '') =>
  `{"mediaType": "${oci}.config.v1+json", "digest": "sha256:${'a'.repeat(64)}", "size": 2${more}}`;
const read = (text: string | Buffer, told = '') => readManifest(source, Buffer.from(text), told);
const kelvin = '\u212a';

test('a manifest, an index and a configuration are read, with any key that nobody takes for a field', () => {
  const annotations = '"annotations": {"a": "1", "A": "2", "mediatype": "x"}';
  const image = `{"schemaVersion": 2, "config": ${blob()}, "layers": [${blob(`, ${annotations}`)}], ${annotations}, "x": 1}`;
  expect(read(image, manifestType).layers?.[0]?.annotations).toEqual({ a: '1', A: '2', mediatype: 'x' });
  expect(read(`{"mediaType": "${indexType}", "manifests": [${blob()}]}`, indexType).manifests).toHaveLength(1);
  const config =
    '{"os": "linux", "config": {"Env": ["a"], "Labels": {"env": "1", "Env": "2", "ENV": "3"}}, "moby.x": {"Y": 1.5}}';
  expect(readImageConfig(source, Buffer.from(config)).os).toBe('linux');
});

describe('a manifest that programs read differently is refused, with its name and the key', () => {
  test.each([
    ['in capitals', `{"Layers": [${blob()}]}`, '“Layers”, which some programs read as “layers”'],
    ['beside the right one', `{"layers": [], "LAYERS": [${blob()}]}`, '“LAYERS”'],
    ['with the long s of Go', `{"layerſ": []}`, '“layerſ”'],
    ['with the Kelvin sign of Go', `{"config": {"mediaType": "x", "${kelvin}x": 1}, "manifeſts": []}`, '“manifests”'],
    ['with an escape', String.raw`{"\u004cayers": []}`, '“Layers”'],
    ['twice', `{"layers": [], "layers": [${blob()}]}`, '“layers” twice'],
    ['twice, once with an escape', String.raw`{"layers": [], "\u006cayers": []}`, '“layers” twice'],
    ['with a dash', '{"media_type": "x"}', '“media_type”'],
    ['in a part', `{"layers": [${blob(', "Digest": "sha256:b"')}]}`, '“Digest”'],
    [
      'of a platform',
      `{"manifests": [${blob(', "platform": {"os": "linux", "OS": "windows", "architecture": "a"}')}]}`,
      '“OS”',
    ],
    ['twice in a map', `{"annotations": {"a": "1", "a": "2"}}`, '“a” twice'],
    ['twice where nobody looks', '{"x": {"y": [{"z": 1, "z": 2}]}}', '“z” twice'],
    ['twice, as objects have it', '{"x": {"__proto__": 1, "__proto__": 2}}', '“__proto__” twice'],
    ['with half a letter', String.raw`{"annotations": {"\ud800": "1", "\ud801": "2"}}`, 'half a letter'],
    [
      'of a number',
      `{"layers": [${blob().replace('"size": 2', '"size": 2e0')}]}`,
      '“2e0” where a whole number belongs',
    ],
  ])('%s', (_what, text, said) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        code: 'IMAGE_AMBIGUOUS',
        message: expect.stringMatching(/^r\.example\.com\/web:v1 can be read in two ways: its manifest has /),
        hint: expect.stringContaining('find out who pushed it'),
      }),
    );
    expect(() => read(text)).toThrow(said);
  });

  test('in bytes that are no letters, and deeper than all look', () => {
    expect(() => read(Buffer.from('7b2278223a22ff227d', 'hex'))).toThrow('no UTF-8');
    expect(() => read(`${'{"a":'.repeat(600)}1${'}'.repeat(600)}`)).toThrow('nested more deeply');
  });
});

test.each([
  ['both', `{"layers": [], "manifests": []}`, '', 'both “manifests” and “layers”'],
  ['both, with a configuration', `{"config": ${blob()}, "manifests": []}`, '', 'both “manifests” and “config”'],
  ['both, by Docker’s first form', `{"fsLayers": [], "manifests": []}`, '', 'both “manifests” and “fsLayers”'],
  ['an image that is served as an index', '{"layers": []}', indexType, 'is called an index'],
  ['an index that is served as an image', '{"manifests": []}', manifestType, 'is called an image'],
  ['an image by its word', `{"mediaType": "${manifestType}", "layers": []}`, indexType, '(Content-Type)'],
  ['an index by its word', `{"mediaType": "${indexType}", "layers": []}`, '', 'is called an index'],
])('what is an index for one program and an image for another is refused: %s', (_what, text, told, said) => {
  expect(() => read(text, told)).toThrow(said);
});

test.each([
  ['a type', `{"mediaType": "a\\nb", "layers": []}`, indexType],
  ['a key', `{"a\\nb": 1, "a\\nb": 2}`, ''],
])('what is told of a document stays in its line: %s', (_what, text, told) => {
  expect(() => read(text, told)).toThrow('“a b”');
});

test.each(['application/json', 'application/octet-stream'])(
  'a registry that serves manifests as %s says nothing of them: their own word counts, or it is at fault',
  (told) => {
    expect(read(`{"mediaType": "${indexType}", "manifests": [${blob()}]}`, told).manifests).toHaveLength(1);
    expect(() => read(`{"mediaType": "${indexType}", "layers": []}`, told)).toThrow('is called an index');
    expect(() => read('{"layers": []}', told)).toThrow(
      expect.objectContaining({
        code: 'REGISTRY_REFUSED',
        message: expect.stringMatching(new RegExp(`r\\.example\\.com.*web:v1 as “${told}”`)),
      }),
    );
  },
);

test('a part of an index is what the index says that it is', () => {
  expect(() => checkPart(source, { mediaType: manifestType }, manifestType)).not.toThrow();
  expect(() => checkPart(source, { mediaType: manifestType }, indexType)).toThrow('by its index');
});

test.each([
  ['{"config": {"env": ["A=1"]}}', '“env”, which some programs read as “Env”'],
  ['{"config": {"Cmd": ["a"], "cmd": ["b"]}}', '“cmd”'],
  ['{"config": {"Entrypoint": ["a"], "EntryPoint": ["b"]}}', '“EntryPoint”'],
  ['{"Config": {"User": "root"}}', '“Config”'],
  ['{"config": {"Healthcheck": {"test": []}}}', '“test”'],
  ['{"rootfs": {"Diff_IDs": []}}', '“Diff_IDs”'],
  ['{"history": [{"created_by": "a", "Created_By": "b"}]}', '“Created_By”'],
  ['{"config": {"Labels": {"a": "1", "a": "2"}}}', '“a” twice'],
  ['{"oſ": "linux"}', '“oſ”'],
  ['{"config": {"wor\u212aingDir": "/"}}', '“WorkingDir”'],
])('a configuration that programs read differently is refused: %s', (text, said) => {
  expect(() => readImageConfig(source, Buffer.from(text))).toThrow(
    /web:v1 can be read in two ways: its configuration has/,
  );
  expect(() => readImageConfig(source, Buffer.from(text))).toThrow(said);
});

test('what is signed and can be read in two ways says nothing', () => {
  const good = '{"_type": "t", "subject": [], "predicateType": "p"}';
  expect(readOrNothing(Buffer.from(good), statementShape)).toMatchObject({ predicateType: 'p' });
  for (const bad of ['"PredicateType": "q"', '"subject": [{}]', '"Subject": [{}]', '"predicate": {"a": 1, "a": 2}'])
    expect(readOrNothing(Buffer.from(good.replace('{', `{${bad}, `)), statementShape)).toBeUndefined();
  const image = '"image": {"docker-manifest-digest": "a", "Docker-Manifest-Digest": "b"}';
  expect(readOrNothing(Buffer.from(`{"critical": {${image}}}`), simpleSigningShape)).toBeUndefined();
});
