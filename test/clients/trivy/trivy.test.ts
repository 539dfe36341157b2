import { chmod, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTrivy, type TrivyOptions } from '../../../src/clients/trivy/trivy.ts';
import type { Scanned } from '../../../src/core/image-ports.ts';
import { at } from '../../../src/core/json.ts';
import { alpine, type Pushed, startReferrers, trivyProgram, vulnerabilities } from '../../support/image-kit.ts';

const key = `AKIA${'Q6FAKEFAKE7XZ4PL'}`;
const known = [
  { id: 'CVE-2099-0001', in: 'musl', severity: 'CRITICAL', fixed: '1.2.5-r0' },
  { id: 'CVE-2099-0002', in: 'busybox', severity: 'LOW' },
];
const limits = { minutes: 2, databaseDays: 7 };
const never = new AbortController().signal;

let [dir, cache, program]: string[] = [];
let registry: Awaited<ReturnType<typeof startReferrers>>;
let image: Pushed;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'shipmate-trivy-test-'));
  [cache, program, registry] = await Promise.all([
    vulnerabilities(join(dir, 'cache'), known),
    trivyProgram(),
    startReferrers(),
  ]);
  const files = { ...alpine({ musl: '1.2.4-r0', busybox: '1.36.0-r0' }), 'etc/app.env': `AWS_ACCESS_KEY_ID=${key}\n` };
  image = await registry.push('web', 'v1', files);
});
afterAll(async () => {
  await registry.stop();
  await rm(dir ?? '', { recursive: true, force: true });
});

const leftFolders = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('shipmate-scan-'));

/** A scan with the real Trivy, or with a shell script in its stead. */
async function scan(options: Partial<TrivyOptions> & { script?: string } = {}, more: Partial<typeof limits> = {}) {
  const { script, ...rest } = options;
  const stand = join(dir ?? '', `trivy-${Math.random()}`);
  if (script !== undefined) {
    await writeFile(stand, `#!/bin/sh\n${script}\n`);
    await chmod(stand, 0o755);
  }
  const trivy = createTrivy({ program: script === undefined ? program : stand, cache, ...rest });
  return await trivy.scan({ image: image.pinned }, { ...limits, ...more }, never);
}

test('vulnerabilities, secrets and misconfiguration of an image and its Dockerfile are found, and the forms for others made', async () => {
  const dockerfile = { folder: dir ?? '', path: 'Dockerfile' };
  await writeFile(join(dockerfile.folder, dockerfile.path), 'FROM alpine:latest\nRUN apk add curl\n');
  const trivy = createTrivy({ program, cache });
  const found: Scanned = await trivy.scan({ image: image.pinned, dockerfile }, limits, never);
  expect(found.findings).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        kind: 'vulnerability',
        severity: 'critical',
        id: 'CVE-2099-0001',
        where: 'musl',
        installed: '1.2.4-r0',
        fixed: '1.2.5-r0',
      }),
      expect.not.objectContaining({ fixed: expect.anything() }),
      expect.objectContaining({ kind: 'secret', id: 'aws-access-key-id', where: '/etc/app.env' }),
      expect.objectContaining({ kind: 'misconfiguration', id: 'DS-0025', where: 'Dockerfile' }),
    ]),
  );
  expect(JSON.stringify(found.findings)).not.toContain(key);
  expect(at(JSON.parse(found.sarif.toString()), 'version')).toBe('2.1.0');
  expect(found.sarif.toString()).toContain('"ruleId": "CVE-2099-0001"');
  expect(at(found.sbom, 'bomFormat')).toBe('CycloneDX');
  expect(JSON.stringify(found.sbom)).toContain('musl');
  expect(await leftFolders()).toEqual([]);
});

test('file names that are no URL do not keep Trivy from making SARIF', async () => {
  const odd = await registry.push('web', 'odd', { 'a:b/c%zz.env': `AWS_ACCESS_KEY_ID=${key}\n` });
  const { sarif } = await createTrivy({ program, cache }).scan({ image: odd.pinned }, limits, never);
  expect(sarif.toString()).toContain('a%3Ab/c%25zz.env');
});

test('three scans at once do not stand in each other’s way', async () => {
  const found = await Promise.all([scan(), scan(), scan()]);
  expect(found.map(({ findings }) => findings.length)).toEqual([3, 3, 3]);
});

test('a database that is missing, damaged or too old is said, and never taken for no vulnerabilities', async () => {
  const old = await vulnerabilities(join(dir ?? '', 'old'), known, Date.now() - 9 * 86_400_000);
  const damaged = await vulnerabilities(join(dir ?? '', 'damaged'), []);
  await writeFile(join(damaged, 'db', 'metadata.json'), '{"Version":');
  const empty = await vulnerabilities(join(dir ?? '', 'empty'), []);
  await rm(join(empty, 'db', 'trivy.db'));
  await expect(scan({ cache: '/nowhere' })).rejects.toMatchObject({
    code: 'SCAN_DATABASE',
    message: expect.stringContaining('is missing'),
  });
  await expect(scan({ cache: old })).rejects.toMatchObject({
    code: 'SCAN_DATABASE',
    message: expect.stringContaining('9 days old'),
  });
  await expect(scan({ cache: damaged })).rejects.toMatchObject({
    code: 'SCAN_DATABASE',
    message: expect.stringContaining('damaged'),
  });
  await expect(scan({ cache: empty })).rejects.toMatchObject({
    code: 'SCAN_DATABASE',
    message: expect.stringContaining('is missing'),
  });
  expect((await scan({ cache: old }, { databaseDays: 30 })).findings).toHaveLength(3);
});

test.each([
  ['hangs', 'sleep 60', 'SCAN_TIMED_OUT', /not over after/],
  ['garbles', 'for last; do :; done; echo "<html>" > "$last"', 'SCAN_FAILED', /no report of its own/],
  ['writes another JSON', 'for last; do :; done; echo "{}" > "$last"', 'SCAN_FAILED', /no report of its own/],
  ['writes nothing', 'exit 0', 'SCAN_FAILED', /wrote no result/],
  [
    'writes without end',
    'for last; do :; done; head -c 70000000 /dev/zero > "$last"',
    'SCAN_FAILED',
    /larger than 64 MiB/,
  ],
  [
    'complains',
    'echo "2026-01-01T00:00:00Z	FATAL	Fatal error	no such image" >&2; exit 1',
    'SCAN_FAILED',
    /: no such image/,
  ],
  ['is killed', 'kill -9 $$', 'SCAN_FAILED', /ended by SIGKILL/],
])('a Trivy that %s', async (_how, script, code, message) => {
  const began = Date.now();
  await expect(scan({ script }, { minutes: code === 'SCAN_TIMED_OUT' ? 0.01 : 1 })).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
  expect(Date.now() - began).toBeLessThan(5_000);
  expect(await leftFolders()).toEqual([]);
});

test('a Trivy that is not there, and one that may not be run', async () => {
  await expect(scan({ program: '/nowhere/trivy' })).rejects.toMatchObject({ code: 'SCANNER_MISSING' });
  await expect(scan({ program: dir ?? '' })).rejects.toMatchObject({ code: 'SCANNER_MISSING' });
});

test('the password is in Trivy’s environment for its own host only, and on no argument list', async () => {
  const script = 'echo "$* | $TRIVY_USERNAME $TRIVY_PASSWORD $SOMETHING_OF_SHIPMATE" >&2; exit 1';
  process.env.SOMETHING_OF_SHIPMATE = 'seen';
  const login = { username: 'robot', password: 'registry-pass' };
  const own = await scan({ script, credentials: [{ host: registry.host, ...login }] }).catch(({ message }) => message);
  expect(own).toMatch(/^[^|]*\| robot registry-pass *\.?$/);
  expect(own.split('|')[0]).not.toContain('registry-pass');
  const other = await scan({ script, credentials: [{ host: 'elsewhere:5000', ...login }] }).catch(
    ({ message }) => message,
  );
  expect(other).not.toContain('registry-pass');
});

test('what a killed process left behind is cleared away by the next scan', async () => {
  const left = await mkdtemp(join(tmpdir(), 'shipmate-scan-'));
  const hours = new Date(Date.now() - 5 * 3_600_000);
  await utimes(left, hours, hours);
  await scan({ script: 'exit 1' }).catch(() => {});
  expect(await leftFolders()).toEqual([]);
});

test('a scan that is stopped ends its Trivy', async () => {
  const stop = new AbortController();
  const stand = join(dir ?? '', 'trivy-slow');
  await writeFile(stand, '#!/bin/sh\nexec sleep 61\n');
  await chmod(stand, 0o755);
  const going = createTrivy({ program: stand, cache }).scan({ image: image.pinned }, limits, stop.signal);
  setTimeout(() => stop.abort(new Error('stopped')), 200);
  await expect(going).rejects.toThrow('stopped');
  expect(await leftFolders()).toEqual([]);
});
