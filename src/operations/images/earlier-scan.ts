import { environmentNames } from '../../core/apps.ts';
import { shortImage } from '../../core/image.ts';
import type { RunContext } from '../../core/operation.ts';
import { type Finding, findingsOf, newestScan } from '../../core/scan.ts';
import { pinnedImage } from '../../images/pinned.ts';
import { anyScans, readProofs } from '../../images/proof.ts';

/** So many earlier images are asked for a scan. */
const tries = 3;

type Context = Pick<RunContext<'attachments' | 'runs' | 'order', string>, 'on' | 'settings' | 'signal'>;

/** Images of the app that were deployed or scanned before, the newest first, each once. */
async function earlierImages({ on, settings }: Context, app: string): Promise<{ reference: string; digest: string }[]> {
  const [scans, ...deploys] = await Promise.all([
    on.runs.recent(200),
    ...environmentNames(settings).map((env) => on.order.history(`${app}@${env}`, 5)),
  ]);
  const runs = [
    ...scans.filter(({ operation, input }) => operation === 'scan' && input.app === app),
    ...deploys.flat(),
  ];
  const images = runs.toSorted((a, b) => b.createdAt - a.createdAt).flatMap(({ plan }) => plan?.image ?? []);
  return [...new Map(images.toReversed().map((image) => [image.digest, image])).values()].toReversed();
}

/** What was found in the last image of the app before this one, where that was scanned. */
export async function earlierScan(
  context: Context,
  app: string,
  digest: string,
): Promise<{ image: string; findings: Finding[] } | undefined> {
  const others = (await earlierImages(context, app)).filter((image) => image.digest !== digest);
  for (const other of others.slice(0, tries)) {
    const image = pinnedImage(other.reference, other.digest);
    const attached = await readProofs(context.on.attachments, image, ['scan'], context.signal);
    const scan = newestScan(anyScans(attached, other.digest));
    if (scan) return { image: shortImage(other.reference), findings: findingsOf(scan) };
  }
  return undefined;
}
