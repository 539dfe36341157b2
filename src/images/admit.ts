import { environmentEntry } from '../core/apps.ts';
import { Fault, fault } from '../core/errors.ts';
import { parseImage } from '../core/image.ts';
import type { Clients } from '../core/ports.ts';
import type { Settings } from '../core/settings.ts';
import type { ScanRules } from '../core/trust-settings.ts';
import { checkImage, rulesOf } from './gate.ts';
import { pinnedImage } from './pinned.ts';

/** An image that would be run: of which app, where it is one's, and what it would run in. */
export type Wanted = { image: string; app: string; env: string };

type Context = {
  on: Pick<Clients, 'attachments' | 'signing' | 'registry'>;
  settings: Settings;
  now: () => number;
  signal: AbortSignal;
};

const blocks = ({ unscanned = 'block', unfixed: _, days: __, ...kinds }: ScanRules) =>
  unscanned === 'block' || Object.values(kinds).includes('block');

/** The digest that an image has, where it is not named by one. What only warns stops nothing, also where nobody answers. */
async function digestNow({ on, signal }: Context, { image, app }: Wanted): Promise<string | Fault> {
  try {
    return await on.registry.resolve(image, app, signal);
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
}

async function admitOne(context: Context, wanted: Wanted): Promise<string[]> {
  const { settings } = context;
  const { image, app, env } = wanted;
  const [rules, verify] = [rulesOf(settings, env), environmentEntry(settings, env)?.its.verify];
  if (!rules && !verify) return [];
  const named = parseImage(image).digest;
  // What was looked at under a tag may be something else by the time that a node pulls it.
  if (named === undefined && (verify || (rules && blocks(rules)))) throw fault('IMAGE_UNPINNED', { image, env });
  const digest = named ?? (await digestNow(context, wanted));
  if (digest instanceof Fault) return [`${image} was not looked at: ${digest.message}`];
  return await checkImage({ ...context, place: { app, env } }, pinnedImage(image, digest).reference, digest);
}

/**
 * Whether images that a plan would run, by whatever operation, are taken where they would run: what a deploy asks of its
 * image is asked of each. Nothing is read where nothing is asked.
 * @returns what whoever approves should know
 * @throws Fault IMAGE_UNPINNED, and those of `checkImage`
 */
export async function admitImages(context: Context, wanted: readonly Wanted[]): Promise<string[]> {
  const each = new Map(wanted.map((one) => [JSON.stringify(one), one]));
  const warnings: string[] = [];
  for (const one of each.values()) warnings.push(...(await admitOne(context, one)));
  return [...new Set(warnings)];
}
