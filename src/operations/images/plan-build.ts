import type { BuildPlan, ContextSource } from '../../core/build.ts';
import { fault } from '../../core/errors.ts';
import { parseImage, repositoryOf, shortImage } from '../../core/image.ts';
import { digestOf } from '../../core/json.ts';
import { unlessAmbiguous } from '../../core/oci-document.ts';
import type { PlanContext } from '../../core/operation.ts';
import type { Change, Draft } from '../../core/plan.ts';

/** What is wished for, with all that the settings say of it filled in. */
export type Wish = Omit<BuildPlan, 'context' | 'key' | 'built'>;
export type BuildNeeds = 'docker' | 'registry';

/** What an image is made of. Whoever builds the same again gets the same tag, and needs not build. */
function keyOf({ source, dockerfile, args, target, platforms, secrets }: Wish, context: BuildPlan['context']): string {
  const path = source.kind === 'folder' ? '' : source.path;
  const terms = {
    id: context.id,
    file: context.dockerfile,
    path,
    dockerfile,
    args,
    target: target ?? '',
    platforms,
    secrets,
  };
  return `shipmate-${digestOf(terms)
    .replace(/^sha256:/, '')
    .slice(0, 40)}`;
}

export function sourceText(source: ContextSource, { id }: BuildPlan['context']): string {
  switch (source.kind) {
    case 'git':
      return source.ref === id ? id.slice(0, 12) : `${source.ref} (${id.slice(0, 12)})`;
    case 'folder':
      return source.folder;
    case 'upload':
      return `the upload ${source.digest.slice(7, 19)}`;
    default:
      return source satisfies never;
  }
}

const size = (bytes: number) => `${Math.round(bytes / 104_857.6) / 10} MB`;

function changesOf(wish: Wish, found: BuildPlan['context'], was: string | undefined): Change[] {
  const { source, args, target, platforms, secrets, image } = wish;
  const told = {
    ...(target !== undefined && { target }),
    ...(platforms.length > 0 && { platforms: platforms.join(', ') }),
  };
  return [
    { path: `image/${image}`, ...(was !== undefined && { from: was }), to: `built from ${sourceText(source, found)}` },
    { path: 'context', to: `${found.id}, ${found.files} files, ${size(found.bytes)}` },
    ...Object.entries({ ...told }).map(([path, to]) => ({ path, to })),
    ...Object.entries(args).map(([name, to]) => ({ path: `args.${name}`, to })),
    ...secrets.map((name) => ({ path: `secrets.${name}`, to: 'given to the build alone' })),
  ];
}

/** Builds of several platforms need a builder that can. */
function checkBuilder({ settings }: Pick<PlanContext<BuildNeeds>, 'settings'>, { platforms, args }: Wish): void {
  if (platforms.length > 1 && settings.builds.builder === undefined)
    throw fault('BAD_INPUT', {
      problem: `The daemon’s own builder builds for one platform. For ${platforms.join(' and ')}, name builds.builder in shipmate.yaml.`,
    });
  const frontend = args.BUILDKIT_SYNTAX;
  if (frontend !== undefined && !settings.builds.frontends.includes(frontend))
    throw fault('BAD_INPUT', {
      problem: 'The build argument BUILDKIT_SYNTAX names a frontend, and that is not allowed (builds.frontends).',
    });
}

/**
 * Plans a build: the context is looked at, so that the approval is of that very commit or content; and what the registry has of
 * the same already is not built again.
 */
export async function planBuild(
  context: PlanContext<BuildNeeds>,
  { source, dockerfile }: Pick<Wish, 'source' | 'dockerfile'>,
  wishOf: (found: BuildPlan['context']) => Omit<Wish, 'source' | 'dockerfile'>,
): Promise<Draft> {
  const { on, signal } = context;
  const { warnings, ...found } = await on.docker.look(source, dockerfile, signal);
  const wish: Wish = { source, dockerfile, ...wishOf(found) };
  checkBuilder(context, wish);
  const key = keyOf(wish, found);
  const repository = repositoryOf(parseImage(wish.image));
  const [built, there] = await Promise.all([
    // What somebody put under the key, and programs read differently, was not built here: it is built anew.
    wish.fresh ? undefined : unlessAmbiguous(on.registry.manifest(`${repository}:${key}`, signal), undefined),
    on.registry.digest(wish.image, signal),
  ]);
  const summary = `${shortImage(wish.image)} from ${sourceText(wish.source, found)}`;
  const build: BuildPlan = { ...wish, context: found, key, ...(built && { built: built.digest }) };
  if (!built) {
    const replaced = there ? [`${shortImage(wish.image)} is there already: the tag will be another image’s.`] : [];
    const changes = changesOf(wish, found, there);
    return { summary, changes, build, warnings: [...warnings, ...replaced], takesOver: [] };
  }
  const same = there === built.digest;
  const moves = {
    path: `image/${wish.image}`,
    ...(there && { from: there }),
    to: `${built.digest}, built before from the same`,
  };
  return { summary: `${summary}, built already`, changes: same ? [] : [moves], build, takesOver: [] };
}
