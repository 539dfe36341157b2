import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bed } from '../../support/bed.ts';
import {
  alpine,
  type Cosign,
  type KeyPair,
  password,
  registryAt,
  startCosign,
  startReferrers,
  type TestRegistry,
} from '../../support/image-kit.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

const signType = 'https://sigstore.dev/cosign/sign/v1';
let [cosign, ours, theirs]: [Cosign, KeyPair, KeyPair] = [] as never;
let referrers: Awaited<ReturnType<typeof startReferrers>>;
const desks: RealDesk[] = [];

beforeAll(async () => {
  [cosign, referrers] = await Promise.all([startCosign(), startReferrers()]);
  ours = await cosign.keyPair('ours');
  theirs = await cosign.keyPair('theirs');
});
afterAll(async () => {
  await Promise.all([...desks.map((desk) => desk.end()), cosign.stop(), referrers.stop()]);
});

/** Shipmate with its key (or that of `signing`), for images of `host`; production trusts the key `ours` alone. */
async function shipmate(host: string, repository: string, signing: { key?: string; password?: string } = {}) {
  const key = { key: ours.key, password, ...signing };
  const desk = await realDesk({
    apps: { web: { image: `${host}/${repository}` } },
    signing: key,
    production: { verify: { keys: [ours.pub] } },
  });
  desks.push(desk);
  return desk;
}

const verified = (desk: RealDesk, tag: string) => desk.done('verify', { app: 'web', tag, env: 'production' });

describe.each([
  ['a registry with referrers', () => referrers, true],
  ['a registry without', () => registryAt(bed.registryHost), false],
] as const)('%s', (_name, registryOf, hasReferrers) => {
  let registry: TestRegistry;
  const repository = `signed-${Math.random().toString(36).slice(2, 8)}/web`;
  beforeAll(() => {
    registry = registryOf();
  });

  test('what Shipmate signed, cosign 2 and 3 verify; signing again changes nothing', async () => {
    const desk = await shipmate(registry.host, repository);
    const { pinned, digest } = await registry.push(repository, 'v1', alpine({ musl: '1' }));
    await expect(cosign.verify(ours, pinned, false)).rejects.toThrow(/no signatures found/);
    expect(await desk.done('sign', { app: 'web', tag: 'v1' })).toMatchObject({
      state: 'finished',
      report: { kind: 'changed', note: `Signed as ${digest}.` },
    });
    expect(await cosign.verify(ours, pinned, false)).toContain(digest);
    await expect(cosign.verify(theirs, pinned, false)).rejects.toThrow(/invalid signature/);
    expect(await cosign.verify(ours, pinned, true)).toContain(digest);
    expect(await cosign.verifyAttestation(ours, pinned, signType)).toMatchObject([{ predicateType: signType }]);
    await expect(cosign.verify(theirs, pinned, true)).rejects.toThrow(/verif/);
    expect(await verified(desk, 'v1')).toMatchObject({
      state: 'finished',
      report: { rows: expect.arrayContaining([['signature', 'valid', ours.pub, 'yes']]) },
    });
    expect(await desk.done('sign', { app: 'web', tag: 'v1' })).toMatchObject({ report: { kind: 'unchanged' } });
  });

  test.each([
    ['cosign 2', false],
    ['cosign 3', true],
  ])('what %s signed, Shipmate verifies; another key’s signature beside it does not matter', async (_form, bundle) => {
    const desk = await shipmate(registry.host, repository);
    const tag = `by-cosign-${bundle}`;
    const { pinned } = await registry.push(repository, tag, alpine({ musl: tag }));
    await cosign.sign(theirs, pinned, bundle);
    expect(await verified(desk, tag)).toMatchObject({
      state: 'failed',
      fault: { code: 'IMAGE_FOREIGN_KEY', message: expect.stringContaining('does not trust') },
    });
    await cosign.sign(ours, pinned, bundle);
    expect(await verified(desk, tag)).toMatchObject({ state: 'finished' });
  });

  test('cosign’s attestations of both forms are read', async () => {
    const desk = await shipmate(registry.host, repository);
    const { pinned } = await registry.push(repository, 'attested', alpine({ musl: 'a' }));
    await cosign.sign(ours, pinned, false);
    await cosign.attest(ours, pinned, 'https://cyclonedx.org/bom', { components: [] }, false);
    if (hasReferrers) await cosign.attest(ours, pinned, 'vuln', { scanner: {}, metadata: {} }, true);
    const { report } = await verified(desk, 'attested');
    expect(report).toMatchObject({
      rows: [
        ['signature', 'valid', ours.pub, 'yes'],
        hasReferrers ? ['scan', 'valid', ours.pub, 'no'] : ['scan', 'none', '', 'no'],
        ['sbom', 'valid', ours.pub, 'no'],
        ['decision', 'none', '', 'no'],
      ],
    });
  });

  test('no signature, one of another image, and one that was altered are told apart', async () => {
    const desk = await shipmate(registry.host, repository);
    const [signed, bare, moved] = await Promise.all(
      ['signed', 'bare', 'moved'].map((tag) => registry.push(repository, tag, alpine({ musl: tag }))),
    );
    if (!signed || !bare || !moved) throw new Error('not pushed');
    expect(await verified(desk, 'bare')).toMatchObject({
      fault: { code: 'IMAGE_UNPROVEN', hint: expect.stringContaining('/ship sign web:bare') },
    });
    await desk.done('sign', { app: 'web', tag: 'signed' });
    const tagOf = (digest: string) => `${digest.replace(':', '-')}.sig`;
    const sig = await registry.read(repository, `manifests/${tagOf(signed.digest)}`);
    await registry.manifest(repository, tagOf(moved.digest), sig, 'application/vnd.oci.image.manifest.v1+json');
    expect(await verified(desk, 'moved')).toMatchObject({
      fault: { code: 'IMAGE_OTHER_DIGEST', message: expect.stringContaining(signed.digest) },
    });

    const bundle = JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      ...(await alteredBundle(registry, repository, signed.digest, bare.digest)),
    });
    await attach(registry, repository, bare.digest, bundle);
    expect(await verified(desk, 'bare')).toMatchObject({ fault: { code: 'IMAGE_ALTERED' } });
    await attach(registry, repository, signed.digest, 'no JSON at all');
    expect(await verified(desk, 'signed')).toMatchObject({ state: 'finished' });
  });
});

const oci = 'application/vnd.oci.image';
const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

async function listed(registry: TestRegistry, repository: string, digest: string) {
  const own = await registry.read(repository, `referrers/${digest}`);
  const found = own || (await registry.read(repository, `manifests/${digest.replace(':', '-')}`)) || '{}';
  return JSON.parse(found).manifests ?? [];
}

/** The bundle of a signed image, made to speak of another. */
async function alteredBundle(registry: TestRegistry, repository: string, from: string, to: string) {
  const [{ digest }] = await listed(registry, repository, from);
  const { layers } = JSON.parse(await registry.read(repository, `manifests/${digest}`));
  const bundle = JSON.parse(await registry.read(repository, `blobs/${layers[0].digest}`));
  const payload = Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString().replace(from.slice(7), to.slice(7));
  bundle.dsseEnvelope.payload = Buffer.from(payload).toString('base64');
  return bundle;
}

/** Puts something beside an image as anybody could who may push. */
async function attach(registry: TestRegistry, repository: string, digest: string, content: string): Promise<void> {
  const size = Buffer.byteLength(await registry.read(repository, `manifests/${digest}`));
  const [config, layer] = await Promise.all(
    ['{}', content].map(async (each) => ({
      digest: await registry.blob(repository, Buffer.from(each)),
      size: Buffer.byteLength(each),
    })),
  );
  const annotations = { 'dev.sigstore.bundle.predicateType': signType };
  const artifact = JSON.stringify({
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    artifactType: bundleType,
    config: { mediaType: 'application/vnd.oci.empty.v1+json', ...config },
    layers: [{ mediaType: bundleType, ...layer }],
    subject: { mediaType: `${oci}.manifest.v1+json`, digest, size },
    annotations,
  });
  const found = await registry.manifest(
    repository,
    `junk-${size}-${content.length}`,
    artifact,
    `${oci}.manifest.v1+json`,
  );
  const list = { mediaType: `${oci}.manifest.v1+json`, digest: found, size: Buffer.byteLength(artifact), annotations };
  const known = await listed(registry, repository, digest);
  const index = JSON.stringify({ schemaVersion: 2, mediaType: `${oci}.index.v1+json`, manifests: [...known, list] });
  await registry.manifest(repository, digest.replace(':', '-'), index, `${oci}.index.v1+json`);
}

test('a key that is missing or unusable is said, and its password never', async () => {
  const { host } = referrers;
  await referrers.push('keys/web', 'v1', alpine({ musl: '1' }));
  const wrong = await shipmate(host, 'keys/web', { password: 'not the password' });
  const failed = await wrong.done('sign', { app: 'web', tag: 'v1' });
  expect(failed).toMatchObject({ state: 'failed', fault: { code: 'KEY_UNUSABLE' } });
  expect(JSON.stringify(failed)).not.toContain('not the password');
  const gone = await shipmate(host, 'keys/web', { key: '/nowhere/cosign.key' });
  expect(await gone.done('sign', { app: 'web', tag: 'v1' })).toMatchObject({
    fault: { code: 'KEY_UNUSABLE', message: expect.stringContaining('there is no such file') },
  });
});

test('a registry that is away is not taken for an image without a signature', async () => {
  const own = await startReferrers();
  const desk = await shipmate(own.host, 'away/web');
  const { digest } = await own.push('away/web', 'v1', alpine({ musl: '1' }));
  await desk.done('sign', { app: 'web', tag: 'v1' });
  await own.kill();
  const image = `${own.host}/away/web@${digest}`;
  expect(await desk.done('verify', { app: 'web', image, env: 'production' })).toMatchObject({
    state: 'failed',
    fault: { code: 'REGISTRY_UNREACHABLE' },
  });
});
