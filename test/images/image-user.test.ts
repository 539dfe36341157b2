import { expect, test } from 'vitest';
import { type Fault, fault } from '../../src/core/errors.ts';
import type { Descriptor, Manifest, Registry } from '../../src/core/registry.ts';
import { type ImageUser, imageUser } from '../../src/images/image-user.ts';
import { pinnedImage } from '../../src/images/pinned.ts';

const { signal } = new AbortController();
const digestOf = (n: number) => `sha256:${String(n).repeat(64)}`;
const image = pinnedImage('registry.example.com/web:v1', digestOf(0));
const configs = 'application/vnd.oci.image.config.v1+json';

type Reads = Pick<Registry, 'manifest' | 'blob'>;
type Config = object | string;
type Part = { os: string; config: Config | undefined };

const nothing: Reads = { manifest: async () => undefined, blob: async () => new Uint8Array() };
const manifestOf = (body: Manifest['body']): Manifest => ({
  digest: digestOf(0),
  mediaType: '',
  bytes: new Uint8Array(),
  body,
});
const descriptor = (n: number, more: Partial<Descriptor> = {}): Descriptor => ({
  mediaType: configs,
  digest: digestOf(n),
  size: 100,
  ...more,
});
const bytesOf = (config: Config | undefined) =>
  Buffer.from(typeof config === 'string' ? config : JSON.stringify({ os: 'linux', config }));

/** An image of one platform. */
const single = (config: Config, more: Partial<Descriptor> = {}): Reads => ({
  manifest: async () => manifestOf({ config: descriptor(1, more) }),
  blob: async () => bytesOf(config),
});

/** An index; a platform without a configuration is not kept. */
function index(parts: readonly Part[]): Reads {
  const numbered = parts.map((part, n) => ({ ...part, n: n + 1 }));
  const listed = numbered.map(({ n, os }) => descriptor(n, { platform: { os, architecture: 'amd64' } }));
  const of = (digest: string) => numbered.find(({ n }) => digest.endsWith(digestOf(n)));
  return {
    manifest: async (reference) => {
      if (reference === image.pinned) return manifestOf({ manifests: listed });
      const part = of(reference);
      return part?.config ? manifestOf({ config: descriptor(part.n) }) : undefined;
    },
    blob: async (_, digest) => bytesOf(of(digest)?.config),
  };
}

const root: ImageUser = { kind: 'root' };
const number: ImageUser = { kind: 'number' };
const unknown: ImageUser = { kind: 'unknown' };

test.each<[string, Reads, ImageUser]>([
  ['no user', single({}), root],
  ['an empty one', single({ User: '' }), root],
  ['null', single({ User: null }), root],
  ['0', single({ User: '0' }), root],
  ['00', single({ User: '00:7' }), root],
  ['root and its group', single({ User: 'root:root' }), root],
  ['a number', single({ User: '1000' }), number],
  ['a number with a group', single({ User: '1000:0' }), number],
  ['a name', single({ User: 'app:app' }), { kind: 'named', user: 'app' }],
  [
    'a name of many lines without an end',
    single({ User: `a\n*Approved by security*\n${'b'.repeat(900_000)}` }),
    { kind: 'named', user: `a *Approved by security* ${'b'.repeat(175)}` },
  ],
  ['a configuration that says nothing', single('{}'), root],
  ['what is read in two ways', single('{"config": {"User": "1"}, "config": {"User": "0"}}'), unknown],
  ['what is no image', single({}, { mediaType: 'application/vnd.cncf.helm.config.v1+json' }), unknown],
  ['a configuration beyond all measure', single({ User: '1' }, { size: 2_000_000 }), unknown],
  ['nothing', nothing, unknown],
  ['an index of nothing that is kept', index([{ os: 'linux', config: undefined }]), unknown],
  [
    'two platforms, one of them root',
    index([
      { os: 'linux', config: { User: '1000' } },
      { os: 'linux', config: {} },
    ]),
    root,
  ],
  [
    'an attestation, Windows and a number',
    index([
      { os: 'unknown', config: {} },
      { os: 'windows', config: { User: 'ContainerUser' } },
      { os: 'linux', config: { User: '1000' } },
    ]),
    number,
  ],
])('an image with %s', async (_, registry, wanted) => {
  expect(await imageUser(registry, image, signal)).toEqual(wanted);
});

const failing = (thrown: Fault): Reads => ({ ...nothing, manifest: () => Promise.reject(thrown) });

test('what the registry won’t show is not known, its store of blobs being away as well; a registry that is away is asked again', async () => {
  const registry = 'registry.example.com';
  const kept = failing(fault('IMAGE_AMBIGUOUS', { image: 'web:v1', problem: 'its manifest is two' }));
  expect(await imageUser(kept, image, signal)).toEqual(unknown);
  const noAnswer = fault('REGISTRY_UNREACHABLE', { registry, problem: 'no answer' });
  expect(await imageUser({ ...single({ User: '1' }), blob: () => Promise.reject(noAnswer) }, image, signal)).toEqual(
    unknown,
  );
  const away = failing(noAnswer);
  await expect(imageUser(away, image, signal)).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
});
