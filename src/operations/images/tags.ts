import { z } from 'zod';
import { ownTag } from '../../core/build.ts';
import { Fault } from '../../core/errors.ts';
import { spanText } from '../../core/moments.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { AppRef, homeOf } from '../../core/place.ts';
import { factsOf, type ImageFacts } from './image-facts.ts';
import { allUses, type Use, usesOf, usesText, wherePermissions } from './where.ts';

/** So many are looked at closely: the highest ones, as versions go. */
const mostTags = 40;
const atOnce = 8;

/** Tags that are about another image: its signature, its SBOM. */
const isAside = (tag: string) => ownTag(tag) || /^sha256-[0-9a-f]{64}/.test(tag);

async function inBatches<Item, Result>(
  items: readonly Item[],
  act: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const done: Result[] = [];
  for (let n = 0; n < items.length; n += atOnce) done.push(...(await Promise.all(items.slice(n, n + atOnce).map(act))));
  return done;
}

const megabytes = (bytes: number) => `${Math.round(bytes / 104_857.6) / 10} MB`;

/** What is told of a tag; or, where programs would read its image differently, why nothing is. */
async function toldOf(run: Parameters<typeof factsOf>[0], repository: string, tag: string) {
  try {
    return await factsOf(run, repository, tag);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'IMAGE_AMBIGUOUS') return thrown.message;
    throw thrown;
  }
}

function rowOf(facts: ImageFacts, repository: string, uses: readonly Use[], now: number): string[] {
  const { tag, digest, digests, bytes, createdAt, platforms } = facts;
  const age = createdAt === undefined ? '' : spanText(Math.max(0, now - createdAt));
  const running = usesOf(uses, { digests, names: [`${repository}:${tag}`] });
  return [tag, digest.slice(0, 'sha256:'.length + 12), megabytes(bytes), age, platforms.join(', '), usesText(running)];
}

export const tags = defineOperation({
  name: 'tags',
  summary: 'Show an app’s images in the registry: age, size, digest, and where each runs',
  effect: 'read',
  input: z.strictObject({ app: AppRef }),
  usage: '<app>',
  examples: ['web'],
  routes: [
    route({
      method: 'GET',
      path: '/images/:app/tags',
      summary: 'An app’s tags, and where each runs',
      request: z.object({ app: AppRef }),
      input: (request) => request,
    }),
  ],
  needs: ['registry', 'kube'],
  permissions: wherePermissions,
  steps: ['read'],
  target: ({ app }) => ({ app }),
  plan: async ({ settings }, { app }) => ({ summary: homeOf(settings, app), changes: [], takesOver: [] }),
  run: async (run, { app }) => {
    const repository = homeOf(run.settings, app);
    const {
      rows,
      more,
      odd = [],
    } = await run.step('read', async ({ signal }) => {
      const [found, uses] = await Promise.all([run.on.registry.tags(repository, signal), allUses(run)]);
      const all = found.filter((tag) => !isAside(tag)).sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
      const facts = await inBatches(all.slice(0, mostTags), (tag) => toldOf(run, repository, tag));
      const known = facts.filter((each) => typeof each === 'object');
      const newest = known.toSorted((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0));
      return {
        rows: newest.map((each) => rowOf(each, repository, uses, run.now())),
        more: Math.max(0, all.length - mostTags),
        odd: facts.filter((each) => typeof each === 'string'),
      };
    });
    const few = rows.length + odd.length === 0 ? 'There are no images yet.' : '';
    const note = [more > 0 ? `and ${more} more tags` : few, ...odd].filter(Boolean).join(' ');
    return {
      kind: 'table',
      title: `Images of ${app}: ${repository}`,
      columns: ['Tag', 'Digest', 'Size', 'Age', 'Platforms', 'Runs in'],
      rows,
      ...(note !== '' && { note }),
    };
  },
});
