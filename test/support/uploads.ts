import { buffer } from 'node:stream/consumers';
import { type Header, pack } from 'tar-stream';
import { createRegistry } from '../../src/clients/registry/registry.ts';
import { Settings } from '../../src/core/settings.ts';
import { keepContext } from '../../src/operations/images/uploads.ts';

export type Entry = Partial<Header> & { name: string; text?: string };

/** A tar of these entries, as they are: also such as no decent program would write. */
export async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const { text, ...headers } of entries) tar.entry({ ...headers, mtime: new Date(0) }, text ?? '');
  tar.finalize();
  return await buffer(tar);
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const { signal } = new AbortController();

/** Keeps a tar as what was sent over REST is kept, and answers with what is built then. */
export async function keepTar(repository: string, tar: AsyncIterable<Uint8Array>, megabytes = 500, path = '.') {
  const settings = Settings.parse({
    apps: {},
    environments: {},
    people: {},
    policy: [],
    builds: { repositories: [repository], contextMegabytes: megabytes },
  });
  const context = { on: { registry: createRegistry() }, settings, now: Date.now, signal };
  const kept = await keepContext(context, `${repository}:any`, tar);
  return { kind: 'upload' as const, repository, digest: kept.slice('upload:'.length), path };
}
