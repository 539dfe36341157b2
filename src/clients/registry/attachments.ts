import type { z } from 'zod';
import { bundleShape, envelopeShape, manifestShape, statementShape } from '../../core/document-shapes.ts';
import { fault } from '../../core/errors.ts';
import type { Attachment, Attachments } from '../../core/image-ports.ts';
import { Bundle, bundleType, Envelope, predicates, Statement, statementType } from '../../core/in-toto.ts';
import { readOrNothing, type Shape } from '../../core/one-reading.ts';
import type { Attached } from '../../core/verification.ts';
import { createCaller, located, type Named, patiently, type RegistryOptions } from './caller.ts';
import {
  createStore,
  type Descriptor,
  digestOf,
  emptyConfig,
  Index,
  indexType,
  Manifest,
  manifestType,
  type Store,
} from './store.ts';

const simpleType = 'application/vnd.dev.cosign.simplesigning.v1+json';
const signatureAt = 'dev.cosignproject.cosign/signature';
const predicateAt = 'dev.sigstore.bundle.predicateType';
const createdAt = 'org.opencontainers.image.created';
/** More than so many beside one image are not looked at, from the newest on. */
const most = 50;

type Form<Output> = { schema: z.ZodType<Output>; shape: Shape };
const forms = {
  index: { schema: Index, shape: manifestShape },
  manifest: { schema: Manifest, shape: manifestShape },
  statement: { schema: Statement, shape: statementShape },
  envelope: { schema: Envelope, shape: envelopeShape },
  bundle: { schema: Bundle, shape: bundleShape },
};

/**
 * What a text holds, by that form; undefined where it is something else, or programs would read it differently. What is beside an
 * image anybody may have put there.
 */
const read = <Output>({ schema, shape }: Form<Output>, bytes: Buffer | undefined): Output | undefined =>
  bytes && schema.safeParse(readOrNothing(bytes, shape)).data;

/** `sha256-…`: where a registry without referrers keeps them, and, with an ending, where cosign 2 keeps its own. */
const tagOf = (digest: string, ending = '') => `${digest.replace(':', '-')}${ending}`;

async function referrersOf(store: Store, digest: string): Promise<Descriptor[]> {
  const listed = (await store.referrers(digest)) ?? (await store.manifest(tagOf(digest)));
  const found = read(forms.index, listed)?.manifests ?? [];
  const time = ({ annotations }: Descriptor) => annotations?.[createdAt] ?? '';
  return found.toSorted((a, b) => (time(a) < time(b) ? 1 : -1)).slice(0, most);
}

async function simpleOf(store: Store, { layers }: Manifest): Promise<Attached[]> {
  const signed = layers.filter(({ mediaType, annotations }) => mediaType === simpleType && annotations?.[signatureAt]);
  return await Promise.all(
    signed.slice(0, most).map(async ({ digest, annotations }): Promise<Attached> => {
      const payload = (await store.blob(digest)) ?? Buffer.alloc(0);
      return { kind: 'simple', payload, signature: annotations?.[signatureAt] ?? '' };
    }),
  );
}

async function artifactOf(store: Store, { digest }: Descriptor): Promise<Attached[]> {
  const manifest = read(forms.manifest, await store.manifest(digest));
  const layer = manifest?.layers[0];
  if (!manifest || !layer) return [];
  if (layer.mediaType === simpleType) return await simpleOf(store, manifest);
  if (layer.mediaType === statementType) {
    const statement = read(forms.statement, await store.blob(layer.digest));
    return statement ? [{ kind: 'plain', statement }] : [];
  }
  if (!layer.mediaType.startsWith('application/vnd.dev.sigstore.bundle')) return [];
  const bundle = read(forms.bundle, await store.blob(layer.digest));
  if (!bundle) return [];
  return [{ kind: 'signed', envelope: bundle.dsseEnvelope, hint: bundle.verificationMaterial.publicKey?.hint }];
}

/** Cosign 2's attestations: each layer is an envelope, and says of what type. */
async function oldAttestations(store: Store, digest: string, wanted: ReadonlySet<string>): Promise<Attached[]> {
  const manifest = read(forms.manifest, await store.manifest(tagOf(digest, '.att')));
  const layers = (manifest?.layers ?? []).filter(({ annotations }) => wanted.has(annotations?.predicateType ?? ''));
  const envelopes = await Promise.all(
    layers.slice(0, most).map(async (layer) => read(forms.envelope, await store.blob(layer.digest))),
  );
  return envelopes.flatMap((envelope): Attached[] => (envelope ? [{ kind: 'signed', envelope }] : []));
}

async function oldSignatures(store: Store, digest: string): Promise<Attached[]> {
  const manifest = read(forms.manifest, await store.manifest(tagOf(digest, '.sig')));
  return manifest ? await simpleOf(store, manifest) : [];
}

type Artifact = { type: string; content: Buffer; predicateType?: string };

function artifactFor(attachment: Exclude<Attachment, { kind: 'simple' }>): Artifact {
  switch (attachment.kind) {
    case 'file':
      return { type: attachment.type, content: attachment.content };
    case 'bundle': {
      const { bundle, predicateType } = attachment;
      return { type: bundleType, content: Buffer.from(JSON.stringify(bundle)), predicateType };
    }
    case 'statement': {
      const { statement } = attachment;
      const content = Buffer.from(JSON.stringify(statement));
      return { type: statementType, content, predicateType: statement.predicateType };
    }
    default:
      return attachment satisfies never;
  }
}

/** What is there already, which is written anew with what comes to it: nothing of it may be lost. @throws Fault ATTACHMENT_REFUSED */
function kept<Output>(form: Form<Output>, bytes: Buffer | undefined, image: Named, digest: string): Partial<Output> {
  const found = read(form, bytes);
  if (bytes && !found)
    throw fault('ATTACHMENT_REFUSED', {
      registry: image.registry,
      image: `${image.repository}@${digest}`,
      problem: 'what is there already is no list that all programs read the same',
    });
  return found ?? {};
}

/** A registry without referrers: the list is a manifest of its own, which whoever adds something writes anew. */
async function addToList(store: Store, image: Named, digest: string, added: Descriptor): Promise<void> {
  for (let tries = 0; tries < 4; tries++) {
    const { manifests = [] } = kept(forms.index, await store.manifest(tagOf(digest)), image, digest);
    // Another writer may have put its own list over ours: then ours is not in it.
    if (manifests.some((each) => each.digest === added.digest)) return;
    const index = { schemaVersion: 2, mediaType: indexType, manifests: [...manifests, added] };
    await store.putManifest(tagOf(digest), Buffer.from(JSON.stringify(index)), indexType);
  }
  throw fault('ATTACHMENT_REFUSED', {
    registry: image.registry,
    image: `${image.repository}@${digest}`,
    problem: 'others kept writing its list',
  });
}

async function addArtifact(store: Store, image: Named, subject: Descriptor, artifact: Artifact, at: number) {
  const { type, content, predicateType } = artifact;
  const annotations = {
    [createdAt]: new Date(at).toISOString(),
    ...(predicateType && { [predicateAt]: predicateType, 'dev.sigstore.bundle.content': 'dsse-envelope' }),
  };
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      artifactType: type,
      config: descriptorOf(emptyConfig.mediaType, emptyConfig.content),
      layers: [descriptorOf(type, content)],
      subject,
      annotations,
    }),
  );
  await Promise.all([store.putBlob(emptyConfig.content), store.putBlob(content)]);
  const noticed = await store.putManifest(digestOf(manifest), manifest, manifestType);
  if (noticed || (await store.referrers(subject.digest)) !== undefined) return;
  const added = { ...descriptorOf(manifestType, manifest), artifactType: type, annotations };
  await addToList(store, image, subject.digest, added);
}

const descriptorOf = (mediaType: string, content: Buffer): Descriptor => ({
  mediaType,
  digest: digestOf(content),
  size: content.length,
});

/** Cosign 2 keeps all signatures of an image as layers of one artifact, under a tag made of its digest. */
async function addSimple(
  store: Store,
  image: Named,
  digest: string,
  { payload, signature }: Extract<Attachment, { kind: 'simple' }>,
) {
  const { layers: earlier = [] } = kept(forms.manifest, await store.manifest(tagOf(digest, '.sig')), image, digest);
  const layer = { ...descriptorOf(simpleType, payload), annotations: { [signatureAt]: signature } };
  const layers = [...earlier, layer];
  const rootfs = { type: 'layers', diff_ids: layers.map((each) => each.digest) };
  const config = Buffer.from(JSON.stringify({ architecture: '', os: '', config: {}, rootfs }));
  const configOf = descriptorOf('application/vnd.oci.image.config.v1+json', config);
  const manifest = { schemaVersion: 2, mediaType: manifestType, config: configOf, layers };
  await Promise.all([store.putBlob(config), store.putBlob(payload)]);
  await store.putManifest(tagOf(digest, '.sig'), Buffer.from(JSON.stringify(manifest)), manifestType);
}

/** The image itself, as what is put beside it names it. */
async function subjectOf(store: Store, image: Named, digest: string): Promise<Descriptor> {
  const content = await store.manifest(digest);
  if (!content)
    throw fault('IMAGE_NOT_FOUND', { registry: image.registry, image: image.repository, near: '', app: 'APP' });
  return { ...descriptorOf(read(forms.manifest, content)?.mediaType ?? manifestType, content), digest };
}

/** What registries keep beside images: as referrers, or under tags where a registry has none. */
export function createAttachments(options: RegistryOptions = {}): Attachments {
  const call = createCaller(options);
  const at = (reference: string, signal: AbortSignal) => {
    const image = located(reference);
    const { digest } = image;
    if (digest === undefined) throw fault('IMAGE_MALFORMED', { image: reference });
    return { image, digest, store: createStore(call, image, signal) };
  };
  return {
    read: async (reference, predicateTypes, signal) => {
      const { image, digest, store } = at(reference, signal);
      const wanted = new Set(predicateTypes);
      return await patiently(image.registry, signal, async () => {
        const [found, ...old] = await Promise.all([
          referrersOf(store, digest).then((all) =>
            Promise.all(
              all
                .filter(({ annotations }) => {
                  const type = annotations?.[predicateAt];
                  return type === undefined || wanted.has(type);
                })
                .map((each) => artifactOf(store, each)),
            ),
          ),
          wanted.has(predicates.signature) ? oldSignatures(store, digest) : [],
          wanted.size > 1 || !wanted.has(predicates.signature) ? oldAttestations(store, digest, wanted) : [],
        ]);
        return [...found.flat(), ...old.flat()];
      });
    },
    add: async (reference, attachment, when, signal) => {
      const { image, digest, store } = at(reference, signal);
      await patiently(image.registry, signal, async () => {
        if (attachment.kind === 'simple') return await addSimple(store, image, digest, attachment);
        const subject = await subjectOf(store, image, digest);
        await addArtifact(store, image, subject, artifactFor(attachment), when);
      });
    },
  };
}
