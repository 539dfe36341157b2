import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { manifestTypes } from '../../src/clients/registry/caller.ts';
import { release } from '../../testbed/claim.ts';
import { compiled } from '../../testbed/compile.ts';
import { freePort } from '../../testbed/ports.ts';
import { tethered } from '../../testbed/tether.ts';

const run = promisify(execFile);
const ignored = () => {};
export const sha256 = (bytes: Buffer | string): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export type Pushed = { digest: string; pinned: string };

/** A registry on loopback, as those who put images into it speak to it. */
export function registryAt(host: string) {
  const url = (repository: string, path: string) => `http://${host}/v2/${repository}/${path}`;
  const blob = async (repository: string, content: Buffer): Promise<string> => {
    const begun = await fetch(url(repository, 'blobs/uploads/'), { method: 'POST' });
    const to = new URL(begun.headers.get('location') ?? '', `http://${host}`);
    to.searchParams.set('digest', sha256(content));
    const headers = { 'content-type': 'application/octet-stream' };
    const { status } = await fetch(to, { method: 'PUT', body: new Uint8Array(content), headers });
    if (status !== 201) throw new Error(`a blob was refused: ${status}`);
    return sha256(content);
  };
  const manifest = async (repository: string, reference: string, content: string, type: string): Promise<string> => {
    const headers = { 'content-type': type };
    const { status } = await fetch(url(repository, `manifests/${reference}`), {
      method: 'PUT',
      body: content,
      headers,
    });
    if (status !== 201) throw new Error(`a manifest was refused: ${status}`);
    return sha256(content);
  };
  return {
    host,
    url,
    blob,
    manifest,
    /** Puts an image there that has these files. */
    push: async (repository: string, tag: string, files: Record<string, string>): Promise<Pushed> => {
      const tar = pack();
      for (const [name, content] of Object.entries(files)) tar.entry({ name, mtime: new Date(0) }, content);
      tar.finalize();
      const layer = await buffer(tar);
      const zipped = gzipSync(layer);
      const rootfs = { type: 'layers', diff_ids: [sha256(layer)] };
      const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs }));
      await Promise.all([blob(repository, zipped), blob(repository, config)]);
      const oci = 'application/vnd.oci.image';
      const content = JSON.stringify({
        schemaVersion: 2,
        mediaType: `${oci}.manifest.v1+json`,
        config: { mediaType: `${oci}.config.v1+json`, digest: sha256(config), size: config.length },
        layers: [{ mediaType: `${oci}.layer.v1.tar+gzip`, digest: sha256(zipped), size: zipped.length }],
      });
      const digest = await manifest(repository, tag, content, `${oci}.manifest.v1+json`);
      return { digest, pinned: `${host}/${repository}@${digest}` };
    },
    /** Copies an image within the registry, under another name. */
    copy: async (from: string, reference: string, to: string, tag: string): Promise<Pushed> => {
      const found = await fetch(url(from, `manifests/${reference}`), { headers: { accept: manifestTypes } });
      const content = await found.text();
      const { config, layers = [] } = JSON.parse(content);
      for (const { digest } of [config, ...layers])
        await blob(to, Buffer.from(await (await fetch(url(from, `blobs/${digest}`))).arrayBuffer()));
      const digest = await manifest(to, tag, content, found.headers.get('content-type') ?? '');
      return { digest, pinned: `${host}/${to}@${digest}` };
    },
    /** A manifest or blob as it is there; empty where it is not. */
    read: async (repository: string, path: string) => {
      const found = await fetch(url(repository, path), { headers: { accept: manifestTypes } });
      return found.ok ? await found.text() : '';
    },
  };
}
export type TestRegistry = ReturnType<typeof registryAt>;

/** A registry with referrers, of the test's own. */
export async function startReferrers(): Promise<TestRegistry & { kill(): Promise<void>; stop(): Promise<void> }> {
  const [folder, { port, claimed }] = await Promise.all([compiled('registry', ignored), freePort()]);
  const host = `127.0.0.1:${port}`;
  const child = spawn(...tethered(join(folder, 'registry'), [host]), { stdio: 'ignore' });
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    await release(claimed);
  };
  while (!(await fetch(`http://${host}/v2/`).catch(() => undefined))) await sleep(20);
  return { ...registryAt(host), kill: end, stop: end };
}

/** What an Alpine has that holds these packages. */
export const alpine = (packages: Record<string, string>): Record<string, string> => ({
  'etc/alpine-release': '3.19.0\n',
  'etc/os-release': 'ID=alpine\nVERSION_ID=3.19.0\nNAME="Alpine Linux"\n',
  'lib/apk/db/installed': Object.entries(packages)
    .map(([name, version]) => `P:${name}\nV:${version}\nA:x86_64\nL:MIT\no:${name}\n\n`)
    .join(''),
});

export type Vulnerability = { id: string; in: string; severity: string; fixed?: string };

/** Writes a vulnerability database as Trivy reads it, and answers with its folder. */
export async function vulnerabilities(dir: string, known: readonly Vulnerability[], updatedAt = Date.now()) {
  const db = join(dir, 'db');
  await mkdir(db, { recursive: true });
  const source = { ID: 'alpine', Name: 'Alpine', URL: 'https://secdb.alpinelinux.org/' };
  const entries = [
    { path: ['data-source'], key: 'alpine 3.19', value: source },
    ...known.flatMap(({ id, in: name, severity, fixed }) => [
      { path: ['alpine 3.19', name], key: id, value: { FixedVersion: fixed ?? '' } },
      { path: ['vulnerability'], key: id, value: { Title: `${name}: made up`, Severity: severity } },
    ]),
  ];
  const folder = await compiled('trivy-db', ignored);
  const writing = run(join(folder, 'trivy-db'), [join(db, 'trivy.db')]);
  writing.child.stdin?.end(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  await writing;
  const time = new Date(updatedAt).toISOString();
  await writeFile(join(db, 'metadata.json'), JSON.stringify({ Version: 2, UpdatedAt: time, NextUpdate: time }));
  return dir;
}

export const password = 'correct horse battery';

export type KeyPair = { key: string; pub: string; publicPem: string };

/** Cosign, with keys that it made itself and no way to the internet. */
export async function startCosign() {
  const [folder, dir] = await Promise.all([compiled('cosign', ignored), mkdtemp(join(tmpdir(), 'shipmate-cosign-'))]);
  const cosign = async (...args: string[]) =>
    await run(join(folder, 'cosign'), args, {
      cwd: dir,
      env: { PATH: '/usr/bin:/bin', HOME: dir, COSIGN_PASSWORD: password },
      timeout: 30_000,
    });
  const root = join(dir, 'root.json');
  await writeFile(root, JSON.stringify({ mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1' }));
  const anyRegistry = ['--allow-http-registry', '--insecure-ignore-tlog=true'];
  return {
    dir,
    program: join(folder, 'cosign'),
    keyPair: async (name: string): Promise<KeyPair> => {
      await cosign('generate-key-pair', '--output-key-prefix', name);
      const pub = join(dir, `${name}.pub`);
      return { key: join(dir, `${name}.key`), pub, publicPem: await readFile(pub, 'utf8') };
    },
    /** As cosign 2 does it; with `bundle`, as cosign 3. */
    sign: async ({ key }: KeyPair, image: string, bundle: boolean) => {
      const form = bundle ? ['--new-bundle-format', '--use-signing-config=false'] : [];
      await cosign('sign', '--key', key, '--tlog-upload=false', '--yes', '--allow-http-registry', ...form, image);
    },
    attest: async ({ key }: KeyPair, image: string, type: string, predicate: unknown, bundle: boolean) => {
      const file = join(dir, 'predicate.json');
      await writeFile(file, JSON.stringify(predicate));
      const what = ['--predicate', file, '--type', type, ...(bundle ? ['--new-bundle-format'] : [])];
      await cosign('attest', '--key', key, '--tlog-upload=false', '--yes', '--allow-http-registry', ...what, image);
    },
    verify: async ({ pub }: KeyPair, image: string, bundle: boolean) => {
      const form = bundle ? ['--new-bundle-format', '--trusted-root', root] : [];
      return (await cosign('verify', '--key', pub, ...anyRegistry, ...form, '-o', 'json', image)).stdout;
    },
    /** The statements of that type that cosign takes for true. */
    verifyAttestation: async ({ pub }: KeyPair, image: string, type: string) => {
      const form = ['--new-bundle-format', '--trusted-root', root, '--type', type];
      const { stdout } = await cosign('verify-attestation', '--key', pub, ...anyRegistry, ...form, image);
      return stdout
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(Buffer.from(JSON.parse(line).payload, 'base64').toString()));
    },
    stop: () => rm(dir, { recursive: true, force: true }),
  };
}
export type Cosign = Awaited<ReturnType<typeof startCosign>>;

export const trivyProgram = async (): Promise<string> => join(await compiled('trivy', ignored), 'trivy');
