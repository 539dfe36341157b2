import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bed } from '../../support/bed.ts';
import { ben } from '../../support/engine.ts';
import {
  alpine,
  type Cosign,
  type KeyPair,
  password,
  registryAt,
  startCosign,
  trivyProgram,
  vulnerabilities,
} from '../../support/image-kit.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

const known = [{ id: 'CVE-2099-0001', in: 'musl', severity: 'CRITICAL', fixed: '1.2.5-r0' }];
const ofRoot = expect.stringContaining('The image names no user but root');
const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

const registry = registryAt(bed.registryHost);
let [cosign, ours, theirs]: [Cosign, KeyPair, KeyPair] = [] as never;
let [dir, program]: string[] = [];
const desks: RealDesk[] = [];
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'shipmate-gate-test-'));
  [cosign, program] = await Promise.all([startCosign(), trivyProgram()]);
  ours = await cosign.keyPair('ours');
  theirs = await cosign.keyPair('theirs');
  await vulnerabilities(join(dir, 'cache'), known);
});
afterAll(async () => {
  await Promise.all([...desks.map((desk) => desk.end()), cosign.stop()]);
  await rm(dir ?? '', { recursive: true, force: true });
});

/** A repository of the test's own: the example app as v1 and v2, and `bad`, which is vulnerable. */
async function shipmate(more: Parameters<typeof realDesk>[0] = {}) {
  const repository = `gated-${Math.random().toString(36).slice(2, 8)}/web`;
  // One after the other: they share blobs, and this registry does not take one twice at once.
  const v1 = await registry.copy('web', 'v1', repository, 'v1');
  const v2 = await registry.copy('web', 'v2', repository, 'v2');
  const bad = await registry.push(repository, 'bad', alpine({ musl: '1.2.4-r0' }));
  const desk = await realDesk({
    apps: { web: { image: `${bed.registryHost}/${repository}` } },
    signing: { key: ours.key, password },
    trivy: { program, cache: join(dir ?? '', 'cache') },
    ...more,
  });
  desks.push(desk);
  const deploy = (tag: string, env = 'staging') => desk.done('deploy', { app: 'web', tag, env });
  return { ...desk, deploy, repository, v1, v2, bad };
}

const nothingIn = async (namespace: string) =>
  expect(await kubectl(['get', 'deployments', '-n', namespace, '-o', 'name'])).toBe('');

test('what was not scanned, and what has a forbidden vulnerability, is not deployed', async () => {
  const { done, deploy, namespaces } = await shipmate({ images: { scan: { critical: 'block' } } });
  expect(await deploy('bad')).toMatchObject({
    state: 'failed',
    fault: { code: 'SCAN_MISSING', hint: expect.stringContaining('/ship scan web:bad') },
  });
  await done('scan', { app: 'web', tag: 'bad' });
  const refused = await deploy('bad');
  expect(refused).toMatchObject({
    state: 'failed',
    fault: {
      code: 'SCAN_BLOCKED',
      message: expect.stringContaining('critical CVE-2099-0001 in musl 1.2.4-r0 (fixed in 1.2.5-r0)'),
      hint: expect.stringContaining('images.allow'),
    },
  });
  expect(refused.steps).toEqual({});
  await nothingIn(namespaces.staging);
});

test('an allowance lets a finding pass to its last day, and is shown to whoever approves; afterwards it counts no more', async () => {
  const allow = (until: string) => [{ id: 'CVE-2099-0001', reason: 'not reachable', until }];
  const scan = { critical: 'block' } as const;
  const allowed = await shipmate({ images: { scan, allow: allow(day(0)) } });
  await allowed.done('scan', { app: 'web', tag: 'bad' });
  const asked = await allowed.deploy('bad', 'production');
  expect(asked).toMatchObject({
    state: 'awaiting',
    plan: { warnings: [`CVE-2099-0001 is allowed until ${day(0)}: not reachable`, ofRoot] },
  });
  const lapsed = await shipmate({ images: { scan, allow: allow(day(-1)) } });
  await lapsed.done('scan', { app: 'web', tag: 'bad' });
  expect(await lapsed.deploy('bad')).toMatchObject({
    fault: { code: 'SCAN_BLOCKED', hint: expect.stringContaining(`ended on ${day(-1)}`) },
  });
});

test('each environment has its own gate: production blocks what staging warns of', async () => {
  const { done, deploy } = await shipmate({
    images: { scan: { critical: 'warn', unscanned: 'warn' } },
    production: { scan: { critical: 'block', unscanned: 'block' } },
  });
  const unscanned = await deploy('v1');
  expect(unscanned).toMatchObject({ state: 'finished', plan: { warnings: ['web:v1 was not scanned.', ofRoot] } });
  await done('scan', { app: 'web', tag: 'bad' });
  expect(await deploy('bad', 'production')).toMatchObject({ fault: { code: 'SCAN_BLOCKED' } });
});

test('signed, scanned and described, an approved deploy goes out, and the decision is beside its image', async () => {
  const require = ['signature', 'scan', 'sbom'] as const;
  const verify = { keys: [ours.pub], require: [...require] };
  const ship = await shipmate({ production: { verify }, images: { scan: { critical: 'block' } } });
  expect(await ship.deploy('v1', 'production')).toMatchObject({ fault: { code: 'IMAGE_UNPROVEN' } });
  await cosign.sign(ours, ship.v1.pinned, false);
  expect(await ship.deploy('v1', 'production')).toMatchObject({
    fault: { code: 'IMAGE_UNPROVEN', message: expect.stringContaining('signed scan') },
  });
  const scan = await ship.done('scan', { app: 'web', tag: 'v1' });
  expect([scan.fault, scan.state]).toEqual([undefined, 'finished']);
  const { id, ...asked } = await ship.deploy('v1', 'production');
  expect([asked.fault, asked.state]).toEqual([undefined, 'awaiting']);
  await ship.approve(id, ben);
  const done = await ship.lap(id);
  expect(done).toMatchObject({ state: 'finished', steps: { attest: { state: 'done' } } });
  expect(done.checklist[0]).toBe('attest');

  const type = 'https://shipmate.dev/attestations/decision/v1';
  const [decision] = await cosign.verifyAttestation(ours, ship.v1.pinned, type);
  expect(decision.subject).toMatchObject([{ digest: { sha256: ship.v1.digest.slice(7) } }]);
  expect(decision.predicate).toMatchObject({
    run: id,
    environment: 'production',
    imageDigest: ship.v1.digest,
    planDigest: done.plan?.digest,
    requestedBy: { name: 'ana' },
    approvedBy: [{ name: 'ben' }],
  });
  expect(await ship.done('verify', { app: 'web', tag: 'v1', env: 'production' })).toMatchObject({
    report: { rows: expect.arrayContaining([['decision', 'valid', ours.pub, 'no']]) },
  });
});

test('a scan by another key, an altered one, and a signature by another key keep an image out', async () => {
  const verify = { keys: [ours.pub], require: ['signature' as const] };
  const ship = await shipmate({ staging: { verify }, images: { scan: { critical: 'block' } } });
  await cosign.sign(theirs, ship.bad.pinned, false);
  expect(await ship.deploy('bad')).toMatchObject({ fault: { code: 'IMAGE_FOREIGN_KEY' } });
  await cosign.sign(ours, ship.bad.pinned, false);
  const clean = {
    scanner: { uri: '', version: '', db: { uri: '', version: '', lastUpdate: '' }, result: { findings: [] } },
  };
  const times = { metadata: { scanStartedOn: '2099-01-01T00:00:00Z', scanFinishedOn: '2099-01-01T00:00:00Z' } };
  await cosign.attest(theirs, ship.bad.pinned, 'vuln', { ...clean, ...times }, false);
  expect(await ship.deploy('bad')).toMatchObject({
    fault: { code: 'IMAGE_FOREIGN_KEY', message: expect.stringContaining('signed scan') },
  });
  await ship.done('scan', { app: 'web', tag: 'bad' });
  expect(await ship.deploy('bad')).toMatchObject({ fault: { code: 'SCAN_BLOCKED' } });

  const list = JSON.parse(await registry.read(ship.repository, `manifests/${ship.bad.digest.replace(':', '-')}`));
  const typed = 'dev.sigstore.bundle.predicateType';
  const entry = list.manifests.find(({ annotations = {} }: { annotations?: Record<string, string> }) =>
    annotations[typed]?.includes('/vuln/'),
  );
  const manifest = JSON.parse(await registry.read(ship.repository, `manifests/${entry.digest}`));
  const bundle = JSON.parse(await registry.read(ship.repository, `blobs/${manifest.layers[0].digest}`));
  const statement = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString());
  statement.predicate.scanner.result.findings = [];
  bundle.dsseEnvelope.payload = Buffer.from(JSON.stringify(statement)).toString('base64');
  const altered = Buffer.from(JSON.stringify(bundle));
  manifest.layers[0].digest = await registry.blob(ship.repository, altered);
  manifest.layers[0].size = altered.length;
  const oci = 'application/vnd.oci.image';
  const text = JSON.stringify(manifest);
  entry.digest = await registry.manifest(ship.repository, 'altered', text, `${oci}.manifest.v1+json`);
  entry.size = text.length;
  const tag = ship.bad.digest.replace(':', '-');
  await registry.manifest(ship.repository, tag, JSON.stringify(list), `${oci}.index.v1+json`);
  expect(await ship.deploy('bad')).toMatchObject({
    fault: { code: 'IMAGE_ALTERED', message: expect.stringContaining('signed scan of web:bad was altered') },
  });
  await nothingIn(ship.namespaces.staging);
});

test('a signature that is gone, and a tag that was moved, between approval and deploy: nothing changes', async () => {
  const ship = await shipmate({ production: { verify: { keys: [ours.publicPem] } } });
  await cosign.sign(ours, ship.v1.pinned, false);
  const { id } = await ship.deploy('v1', 'production');
  await ship.approve(id, ben);
  const empty = JSON.stringify({ schemaVersion: 2, manifests: [] });
  const tag = `${ship.v1.digest.replace(':', '-')}.sig`;
  await registry.manifest(ship.repository, tag, empty, 'application/vnd.oci.image.index.v1+json');
  expect(await ship.lap(id)).toMatchObject({ state: 'failed', fault: { code: 'IMAGE_UNPROVEN' } });

  await cosign.sign(ours, ship.v2.pinned, false);
  const moved = await ship.deploy('v2', 'production');
  await ship.approve(moved.id, ben);
  await registry.copy(ship.repository, 'bad', ship.repository, 'v2');
  expect(await ship.lap(moved.id)).toMatchObject({ state: 'failed', fault: { code: 'IMAGE_UNPROVEN' } });
  await nothingIn(ship.namespaces.production);
});

test('keys that can’t be read stop the deploy and say which', async () => {
  const { deploy } = await shipmate({ staging: { verify: { keys: ['/nowhere/cosign.pub'] } } });
  expect(await deploy('v1')).toMatchObject({
    state: 'failed',
    fault: {
      code: 'KEY_UNUSABLE',
      message: expect.stringContaining('/nowhere/cosign.pub can’t be used: there is no such file'),
    },
  });
});
