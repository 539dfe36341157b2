import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { createAttachments } from '../../src/clients/registry/attachments.ts';
import { createRegistry } from '../../src/clients/registry/registry.ts';
import { predicates } from '../../src/core/in-toto.ts';
import { Settings } from '../../src/core/settings.ts';
import { checkImage } from '../../src/images/gate.ts';
import { pinnedImage } from '../../src/images/pinned.ts';
import { checkOneReading } from '../../src/images/readings.ts';
import { resolveAsked } from '../../src/operations/images/asked.ts';
import { factsOf } from '../../src/operations/images/image-facts.ts';

const { signal } = new AbortController();
const oci = 'application/vnd.oci.image';
const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const described = (text: string, mediaType: string) => ({
  mediaType,
  digest: digestOf(text),
  size: Buffer.byteLength(text),
});

/** A registry that has what somebody put there by hand: what it is given is served as it is. */
async function handmade() {
  const kept = new Map<string, { type: string; text: string }>();
  const asked: string[] = [];
  const shut = { is: false };
  /** What is answered only once it is let go. */
  const held = { path: '', until: Promise.resolve() };
  const server = createServer(async ({ url = '' }, answer) => {
    asked.push(url.replace('/v2/web/', ''));
    const found = kept.get(url.replace('/v2/web/', ''));
    if (url.endsWith(held.path)) await held.until;
    if (shut.is) return void answer.writeHead(403).end();
    if (!found) return void answer.writeHead(404).end();
    answer.writeHead(200, { 'content-type': found.type }).end(found.text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  const repository = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}/web`;
  const manifest = (text: string, { tag = 'v1', type = `${oci}.manifest.v1+json` } = {}) => {
    for (const name of [tag, digestOf(text)]) kept.set(`manifests/${name}`, { type, text });
    return described(text, type);
  };
  const blob = (text: string, mediaType = `${oci}.config.v1+json`) => {
    kept.set(`blobs/${digestOf(text)}`, { type: 'application/octet-stream', text });
    return described(text, mediaType);
  };
  return { kept, asked, shut, held, repository, manifest, blob, registry: createRegistry() };
}

const settingsFor = (image: string) =>
  Settings.parse({
    apps: { web: { image } },
    environments: { production: { namespace: 'production' } },
    images: { scan: { critical: 'block', unscanned: 'allow' } },
  });

async function gated(made: Awaited<ReturnType<typeof handmade>>, digest: string): Promise<string[]> {
  const signing = { ready: false, own: () => Promise.reject(), sign: () => Promise.reject(), trusted: async () => [] };
  return await checkImage(
    {
      on: { registry: made.registry, attachments: createAttachments(), signing },
      place: { app: 'web', env: 'production' },
      settings: settingsFor(made.repository),
      now: () => 0,
      signal,
    },
    `${made.repository}:v1`,
    digest,
  );
}

test('an image that all programs read the same passes the gate, an index with its parts too', async () => {
  const made = await handmade();
  const config = made.blob('{"os": "linux", "architecture": "amd64", "config": {"Env": []}}');
  const part = made.manifest(JSON.stringify({ schemaVersion: 2, config, layers: [] }), { tag: 'part' });
  const index = made.manifest(JSON.stringify({ schemaVersion: 2, manifests: [part] }), {
    type: `${oci}.index.v1+json`,
  });
  expect(await gated(made, part.digest)).toEqual([]);
  expect(await gated(made, index.digest)).toEqual([]);
});

/** An index of so many platforms, each with its attestation. */
function indexOf(made: Awaited<ReturnType<typeof handmade>>, platforms: number) {
  const parts = Array.from({ length: platforms * 2 }, (_, n) => {
    const config = made.blob(`{"os": "linux", "architecture": "a${n}"}`);
    return made.manifest(JSON.stringify({ schemaVersion: 2, config, layers: [] }), { tag: `part${n}` });
  });
  const index = made.manifest(JSON.stringify({ schemaVersion: 2, manifests: parts }), { type: `${oci}.index.v1+json` });
  return { index, parts };
}

test('what was read once is not read again, by whoever asks; whether it may be read is asked each time', async () => {
  const made = await handmade();
  const { index } = indexOf(made, 8);
  const image = pinnedImage(`${made.repository}:v1`, index.digest);
  const check = () => checkOneReading(made.registry, image, signal);
  await Promise.all([check(), check(), check()]);
  expect(made.asked.filter((path) => path !== `manifests/${index.digest}`)).toHaveLength(32);
  expect(new Set(made.asked).size).toBe(33);
  made.asked.length = 0;
  await check();
  expect(made.asked).toEqual([`manifests/${index.digest}`]);
  made.shut.is = true;
  await expect(check()).rejects.toMatchObject({ code: 'REGISTRY_FORBIDDEN' });
});

test('only what passed is remembered: neither what was odd nor what was not there', async () => {
  const made = await handmade();
  const { index, parts } = indexOf(made, 2);
  const image = pinnedImage(`${made.repository}:v1`, index.digest);
  const check = () => checkOneReading(made.registry, image, signal);
  const [name, other] = parts.map(({ digest }) => `manifests/${digest}`);
  const kept = made.kept.get(name ?? '');
  made.kept.delete(name ?? '');
  await check();
  made.kept.set(name ?? '', { type: `${oci}.index.v1+json`, text: kept?.text ?? '' });
  for (const _ of [1, 2]) await expect(check()).rejects.toMatchObject(ambiguous('is called an index'));
  made.kept.set(name ?? '', kept ?? { type: '', text: '' });
  made.asked.length = 0;
  await check();
  expect(made.asked).toContain(name);
  expect(made.asked).not.toContain(other);
});

test('one who gives up takes nothing from another who waits for the same', async () => {
  const made = await handmade();
  const { index, parts } = indexOf(made, 1);
  const image = pinnedImage(`${made.repository}:v1`, index.digest);
  const { promise, resolve: letGo } = Promise.withResolvers<void>();
  Object.assign(made.held, { path: parts[0]?.digest, until: promise });
  const timesAsked = () => made.asked.filter((path) => path.endsWith(made.held.path)).length;
  const impatient = new AbortController();
  const first = checkOneReading(made.registry, image, impatient.signal);
  await expect.poll(timesAsked).toBe(1);
  const second = checkOneReading(made.registry, image, signal);
  const third = new AbortController();
  const alsoImpatient = checkOneReading(made.registry, image, third.signal);
  await expect.poll(() => made.asked.filter((path) => path.endsWith(index.digest)).length).toBe(3);
  third.abort();
  await expect(alsoImpatient).rejects.toThrow();
  expect(timesAsked()).toBe(1);
  impatient.abort();
  await expect(first).rejects.toThrow();
  letGo();
  await second;
  expect(timesAsked()).toBe(2);
});

const ambiguous = (said: string | RegExp) => ({ code: 'IMAGE_AMBIGUOUS', message: expect.stringMatching(said) });

test('an image that programs read differently passes no gate and is not looked into, wherever in it that is', async () => {
  const made = await handmade();
  const odd = made.blob('{"os": "linux", "config": {"Cmd": ["good"], "cmd": ["evil"]}}');
  const image = made.manifest(JSON.stringify({ schemaVersion: 2, config: odd, layers: [] }));
  await expect(gated(made, image.digest)).rejects.toMatchObject(
    ambiguous(/^web:v1 can be read in two ways: its conf.*“cmd”/),
  );
  const asked = { on: { registry: made.registry }, settings: settingsFor(made.repository), signal };
  const { kept, repository } = made;
  kept.set('manifests/v1', { type: image.mediaType, text: kept.get(`manifests/${image.digest}`)?.text ?? '' });
  await expect(resolveAsked(asked, { app: 'web', tag: 'v1' })).rejects.toMatchObject(ambiguous('“cmd”'));
  const index = made.manifest(JSON.stringify({ manifests: [image] }), { tag: 'all', type: `${oci}.index.v1+json` });
  await expect(gated(made, index.digest)).rejects.toMatchObject(ambiguous('“cmd”'));
  await expect(factsOf(asked, repository, 'v1')).rejects.toMatchObject(ambiguous('“cmd”'));
});

test.each([
  ['a manifest with “Layers”', '{"layers": [], "Layers": []}', `${oci}.manifest.v1+json`, '“Layers”'],
  [
    'an image and an index in one',
    '{"layers": [], "manifests": []}',
    `${oci}.index.v1+json`,
    'both “manifests” and “layers”',
  ],
  ['an index that is served as an image', '{"manifests": []}', `${oci}.manifest.v1+json`, 'is called an image'],
  [
    'one type within and another without',
    `{"mediaType": "${oci}.index.v1+json", "manifests": []}`,
    'application/vnd.docker.distribution.manifest.list.v2+json',
    'Content-Type',
  ],
])('%s is refused by whoever reads it', async (_what, text, type, said) => {
  const made = await handmade();
  const { digest } = made.manifest(text, { type });
  await expect(made.registry.manifest(`${made.repository}:v1`, signal)).rejects.toMatchObject(
    ambiguous(new RegExp(`^127.0.0.1:\\d+/web:v1 can be read in two ways: its manifest .*${said}`)),
  );
  await expect(gated(made, digest)).rejects.toMatchObject(ambiguous(said));
});

test('a part that its index calls something else is refused', async () => {
  const made = await handmade();
  const part = made.manifest('{"layers": []}', { tag: 'part' });
  const listed = { ...part, mediaType: 'application/vnd.docker.distribution.manifest.v2+json' };
  const index = made.manifest(JSON.stringify({ manifests: [listed] }), { type: `${oci}.index.v1+json` });
  await expect(gated(made, index.digest)).rejects.toMatchObject(ambiguous('by its index'));
});

test('bytes that are not what their digest says are not read: manifests, configurations, and what lies beside an image', async () => {
  const made = await handmade();
  const { kept, repository, registry } = made;
  const { digest } = made.manifest('{"layers": []}');
  const other = { type: `${oci}.manifest.v1+json`, text: '{"layers": [ ]}' };
  kept.set(`manifests/${digest}`, other);
  await expect(registry.manifest(`${repository}@${digest}`, signal)).rejects.toMatchObject({
    code: 'REGISTRY_REFUSED',
  });
  await expect(registry.digest(`${repository}@${digest}`, signal)).rejects.toMatchObject({ code: 'REGISTRY_REFUSED' });
  const config = made.blob('{"os": "linux"}');
  kept.set(`blobs/${config.digest}`, { ...other, text: '{"os":  "linux"}' });
  await expect(registry.blob(repository, config.digest, signal)).rejects.toMatchObject({ code: 'REGISTRY_REFUSED' });
});

test('a statement beside an image counts once, as its digest says, and not where it can be read in two ways', async () => {
  const made = await handmade();
  const { digest } = made.manifest('{"layers": []}');
  const subject = `"subject": [{"digest": {"sha256": "${digest.slice(7)}"}}]`;
  const beside = (text: string) => {
    const layer = made.blob(text, 'application/vnd.in-toto+json');
    const listed = made.manifest(JSON.stringify({ schemaVersion: 2, layers: [layer] }), { tag: 'aside' });
    const list = JSON.stringify({ manifests: [listed] });
    made.kept.set(`referrers/${digest}`, { type: `${oci}.index.v1+json`, text: list });
    return listed;
  };
  const read = () => createAttachments().read(`${made.repository}@${digest}`, [predicates.scan], signal);
  const statement = (more: string) =>
    `{"_type": "https://in-toto.io/Statement/v1", "predicateType": "${predicates.scan}", ${more}${subject}}`;
  const good = beside(statement(''));
  expect(await read()).toHaveLength(1);
  made.kept.set(`manifests/${good.digest}`, {
    type: good.mediaType,
    text: `${made.kept.get(`manifests/${good.digest}`)?.text} `,
  });
  expect(await read()).toEqual([]);
  beside(statement(`"Subject": [], `));
  expect(await read()).toEqual([]);
  beside(statement(`"predicate": {"scanner": {"a": 1, "a": 2}}, `));
  expect(await read()).toEqual([]);
});

test('signatures that are there already, and can be read in two ways, are not written anew without them', async () => {
  const made = await handmade();
  const { digest } = made.manifest('{"layers": []}');
  made.manifest('{"layers": [], "Layers": []}', { tag: `${digest.replace(':', '-')}.sig` });
  const attachment = { kind: 'simple', payload: Buffer.from('{}'), signature: '' } as const;
  await expect(createAttachments().add(`${made.repository}@${digest}`, attachment, 0, signal)).rejects.toMatchObject({
    code: 'ATTACHMENT_REFUSED',
    message: expect.stringContaining('that all programs read the same'),
  });
});
