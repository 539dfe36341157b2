import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
  trivyProgram,
  vulnerabilities,
} from '../../support/image-kit.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

const known = [
  { id: 'CVE-2099-0001', in: 'musl', severity: 'CRITICAL', fixed: '1.2.5-r0' },
  { id: 'CVE-2099-0003', in: 'curl', severity: 'HIGH', fixed: '9.0.0-r0' },
];

let [cosign, key]: [Cosign, KeyPair] = [] as never;
let [dir, program]: string[] = [];
let referrers: Awaited<ReturnType<typeof startReferrers>>;
const desks: RealDesk[] = [];
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'shipmate-scan-test-'));
  [cosign, referrers, program] = await Promise.all([startCosign(), startReferrers(), trivyProgram()]);
  key = await cosign.keyPair('ours');
  await vulnerabilities(join(dir, 'cache'), known);
});
afterAll(async () => {
  await Promise.all([...desks.map((desk) => desk.end()), cosign.stop(), referrers.stop()]);
  await rm(dir ?? '', { recursive: true, force: true });
});

async function shipmate(host: string, repository: string, more: Parameters<typeof realDesk>[0] = {}) {
  const context = dir ?? '';
  await writeFile(join(context, 'Dockerfile'), 'FROM alpine:latest\nRUN apk add curl\n');
  const desk = await realDesk({
    apps: { web: { image: `${host}/${repository}`, build: { context } } },
    signing: { key: key.key, password },
    trivy: { program, cache: join(context, 'cache') },
    images: { scan: { critical: 'block' } },
    ...more,
  });
  desks.push(desk);
  return desk;
}

type Listed = { artifactType?: string; annotations?: Record<string, string>; digest: string };

/** The kinds of what is beside an image, as the registry lists it. */
async function beside(registry: TestRegistry, repository: string, digest: string): Promise<string[]> {
  const own = await registry.read(repository, `referrers/${digest}`);
  const list = own || (await registry.read(repository, `manifests/${digest.replace(':', '-')}`));
  const manifests: Listed[] = JSON.parse(list).manifests;
  const kinds = manifests.map(async (each) => {
    const { artifactType } = JSON.parse(await registry.read(repository, `manifests/${each.digest}`));
    return each.annotations?.['dev.sigstore.bundle.predicateType'] ?? artifactType;
  });
  return (await Promise.all(kinds)).toSorted();
}

test.each([
  ['with referrers', () => referrers],
  ['without', () => registryAt(bed.registryHost)],
] as const)(
  'a scan in a registry %s shows what is new first, and is kept beside the image, signed',
  async (_how, registryOf) => {
    const registry = registryOf();
    const repository = `scanned-${Math.random().toString(36).slice(2, 8)}/web`;
    const desk = await shipmate(registry.host, repository);
    await registry.push(repository, 'v1', alpine({ musl: '1.2.4-r0' }));
    const { digest, pinned } = await registry.push(repository, 'v2', alpine({ musl: '1.2.4-r0', curl: '8.0.0-r0' }));

    const first = await desk.done('scan', { app: 'web', tag: 'v1' });
    expect(first).toMatchObject({
      state: 'finished',
      report: { kind: 'table', note: expect.stringContaining('No earlier image was scanned.') },
    });
    const { report } = await desk.done('scan', { app: 'web', tag: 'v2' });
    expect(report).toMatchObject({
      title: 'Scan of web:v2',
      rows: [
        ['new', 'high', 'CVE-2099-0003', 'curl', '8.0.0-r0', '9.0.0-r0', 'curl: made up'],
        ['', 'critical', 'CVE-2099-0001', 'musl', '1.2.4-r0', '1.2.5-r0', 'musl: made up'],
        ['', 'high', 'DS-0002', 'Dockerfile', '', '', expect.any(String)],
        ['', 'high', 'DS-0025', 'Dockerfile', '', '', expect.any(String)],
        ['', 'medium', 'DS-0001', 'Dockerfile', '', '', expect.any(String)],
        ['', 'low', 'DS-0026', 'Dockerfile', '', '', expect.any(String)],
      ],
      note: expect.stringMatching(
        /^Found: 1 critical, 3 high, 1 medium, 1 low\. New since web:v1: 1 high\. staging does not take it: critical CVE-2099-0001 .*, signed\.$/,
      ),
    });
    expect(await beside(registry, repository, digest)).toEqual([
      'application/sarif+json',
      'application/vnd.cyclonedx+json',
      'https://cosign.sigstore.dev/attestation/vuln/v1',
      'https://cyclonedx.org/bom',
    ]);
    const [scanned] = await cosign.verifyAttestation(key, pinned, 'vuln');
    expect(scanned.predicate.scanner.result.findings).toContainEqual(expect.objectContaining({ id: 'CVE-2099-0003' }));
    const [bill] = await cosign.verifyAttestation(key, pinned, 'cyclonedx');
    expect(bill.predicate).toMatchObject({ bomFormat: 'CycloneDX' });
  },
);

test('without a key the scan is kept unsigned, and a deploy that asks for nobody’s key takes it', async () => {
  const desk = await shipmate(referrers.host, 'unsigned/web', { signing: {} });
  const { digest } = await referrers.push('unsigned/web', 'v1', alpine({ musl: '1.2.4-r0' }));
  const { report } = await desk.done('scan', { app: 'web', tag: 'v1' });
  expect(report).toMatchObject({ note: expect.stringMatching(/kept beside the image\.$/) });
  expect(await beside(referrers, 'unsigned/web', digest)).toContain('https://cosign.sigstore.dev/attestation/vuln/v1');
  expect(await desk.done('deploy', { app: 'web', tag: 'v1', env: 'staging' })).toMatchObject({
    fault: { code: 'SCAN_BLOCKED' },
  });
});

test('an image that is not there, and a database that is not, end in their own words', async () => {
  const desk = await shipmate(referrers.host, 'unsigned/web', { trivy: { program, cache: '/nowhere' } });
  expect(await desk.done('scan', { app: 'web', tag: 'v9' })).toMatchObject({
    state: 'failed',
    fault: { code: 'IMAGE_NOT_FOUND' },
  });
  expect(await desk.done('scan', { app: 'web' })).toMatchObject({
    state: 'failed',
    fault: { code: 'BAD_INPUT', message: expect.stringContaining('web:TAG') },
  });
  expect(await desk.done('scan', { app: 'web', tag: 'v1' })).toMatchObject({
    state: 'failed',
    fault: { code: 'SCAN_DATABASE', hint: expect.stringContaining('trivy image --download-db-only') },
  });
});
