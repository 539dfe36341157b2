import { imageConfigShape, manifestShape } from './document-shapes.ts';
import { Fault, fault } from './errors.ts';
import { oneLine } from './one-line.ts';
import { readOneWay } from './one-reading.ts';
import { ImageConfig, ManifestBody } from './registry.ts';

const formOf = {
  index: new Set([
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.docker.distribution.manifest.list.v2+json',
  ]),
  manifest: new Set([
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.docker.distribution.manifest.v2+json',
  ]),
};

/** What a registry, or a proxy before it, says of any bytes: it tells nothing of what they are. */
const saysNothing = new Set([
  'application/json',
  'application/octet-stream',
  'binary/octet-stream',
  'text/json',
  'text/plain',
]);

/** Where a document is from: `image` is how people call what it is of. */
type Source = { registry: string; image: string };

const short = (text: string): string => `“${oneLine(text.slice(0, 80))}”`;

/**
 * Why programs take a document for different things: it is an index and an image in one, or is called by two types. One goes by the
 * type that the registry says, another by the document's own, a third by its fields (CVE-2021-41190).
 */
function formProblem(body: ManifestBody, told = ''): string | undefined {
  const { mediaType, manifests } = body;
  const single = (['config', 'layers', 'fsLayers'] as const).find((field) => body[field] !== undefined);
  if (manifests && single)
    return `has both “manifests” and “${single}”, and is an index for one program and an image for another`;
  if (mediaType !== undefined && told !== '' && mediaType !== told)
    return `is ${short(mediaType)} by its own word and ${short(told)} by the registry’s (Content-Type)`;
  const type = mediaType ?? told;
  if (formOf.index.has(type) && single) return `is called an index, and has “${single}” as only images have`;
  if (formOf.manifest.has(type) && manifests) return 'is called an image, and has “manifests” as only an index has';
  return undefined;
}

const ambiguous = ({ image }: Pick<Source, 'image'>, what: string, problem: string) =>
  fault('IMAGE_AMBIGUOUS', { image, problem: `${what} ${problem}` });

/**
 * A manifest or index, where all programs read it the same. `told` is the type that the registry says it is of.
 * @throws Fault IMAGE_AMBIGUOUS; REGISTRY_REFUSED where it is no manifest
 */
export function readManifest(source: Source, bytes: Uint8Array, told: string): ManifestBody {
  const reading = readOneWay(bytes, manifestShape);
  if (reading.kind === 'ambiguous') throw ambiguous(source, 'its manifest', reading.problem);
  const parsed = ManifestBody.safeParse(reading.kind === 'read' ? reading.value : undefined);
  if (!parsed.success) {
    const { registry } = source;
    throw fault(
      'REGISTRY_REFUSED',
      { registry, problem: 'it answers with something that is no manifest' },
      parsed.error,
    );
  }
  const untold = saysNothing.has(told);
  // By its own word alone, where it has one. Where it has none, nobody knows what it is, and whoever pushed it is not at fault.
  if (untold && parsed.data.mediaType === undefined)
    throw fault('REGISTRY_REFUSED', {
      registry: source.registry,
      problem:
        `it, or a proxy before it, serves the manifest of ${source.image} as ${short(told)} (Content-Type), ` +
        'which says nothing of what it is, and nor does the manifest itself',
    });
  const problem = formProblem(parsed.data, untold ? '' : told);
  if (problem !== undefined) throw ambiguous(source, 'its manifest', problem);
  return parsed.data;
}

/** Waits for what is read; `other` where programs would read it differently. */
export async function unlessAmbiguous<Read, const Other>(reading: Promise<Read>, other: Other): Promise<Read | Other> {
  try {
    return await reading;
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'IMAGE_AMBIGUOUS') return other;
    throw thrown;
  }
}

/** The types of configurations that say how an image runs. */
const imageConfigs = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);

/** Whether a manifest is of an image that can run, and not of something else that a registry keeps. */
export const isRunnable = ({ config }: ManifestBody): boolean => imageConfigs.has(config?.mediaType ?? '');

/** What an image's configuration says, as far as it says it; all programs read it the same. @throws Fault IMAGE_AMBIGUOUS */
export function readImageConfig(source: Pick<Source, 'image'>, bytes: Uint8Array): ImageConfig {
  const reading = readOneWay(bytes, imageConfigShape);
  if (reading.kind === 'ambiguous') throw ambiguous(source, 'its configuration', reading.problem);
  return ImageConfig.safeParse(reading.kind === 'read' ? reading.value : undefined).data ?? {};
}

/** A part of an index is of the type that the index says: the runtime goes by that. @throws Fault IMAGE_AMBIGUOUS */
export function checkPart(source: Pick<Source, 'image'>, listed: { mediaType: string }, mediaType: string): void {
  if (listed.mediaType !== mediaType)
    throw ambiguous(source, 'it', `is ${short(listed.mediaType)} by its index and ${short(mediaType)} by its own word`);
}
