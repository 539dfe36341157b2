import { parseImage, repositoryOf, shortImage } from '../core/image.ts';

/** One image, by its digest. */
export type PinnedImage = {
  /** `host/name:tag`, as it was asked for. */
  reference: string;
  digest: string;
  /** `host/name@sha256:…`. */
  pinned: string;
  /** `host/name`. */
  name: string;
  /** As people say it: `web:v2`. */
  short: string;
};

/** The image of that reference and digest. */
export function pinnedImage(reference: string, digest: string): PinnedImage {
  const name = repositoryOf(parseImage(reference));
  return { reference, digest, pinned: `${name}@${digest}`, name, short: shortImage(reference) };
}
