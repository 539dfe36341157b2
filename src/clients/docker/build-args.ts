import type { BuildOrder } from '../../core/build.ts';
import { cacheTag } from '../../core/build.ts';
import { parseImage, repositoryOf } from '../../core/image.ts';
import type { BuildSettings } from '../../core/image-settings.ts';
import { billionths } from '../../core/quantity.ts';

/** The variable of buildx' environment that a secret is in: its value stands in no argument. */
export const secretVariable = (index: number): string => `SHIPMATE_SECRET_${index}`;

const each = (flag: string, values: Record<string, string>) =>
  Object.entries(values).map(([name, value]) => `--${flag}=${name}=${value}`);

export const cacheOf = (image: string): string => `${repositoryOf(parseImage(image))}:${cacheTag}`;

/** With a builder of its own the cache is kept whole; the daemon's can only put it into the image. */
function cacheArguments({ cache, image }: BuildOrder, own: boolean): string[] {
  if (!cache) return [];
  const ref = cacheOf(image);
  const to = own ? `type=registry,ref=${ref},mode=max,image-manifest=true,oci-mediatypes=true` : 'type=inline';
  return [`--cache-from=type=registry,ref=${ref}`, `--cache-to=${to}`];
}

/** Annotations are for those who read the registry and not the image; only a builder of its own makes them. */
function annotationArguments({ labels, platforms }: BuildOrder): string[] {
  const of = platforms.length > 1 ? 'index,manifest:' : 'manifest:';
  return each('annotation', Object.fromEntries(Object.entries(labels).map(([name, value]) => [`${of}${name}`, value])));
}

/** Every argument of `buildx build`; each value stands in one with its flag, so that none can be a flag of its own. */
export function buildArguments(
  order: BuildOrder,
  {
    root,
    dockerfile,
    builder,
    settings,
    output,
  }: {
    root: string;
    dockerfile: string;
    builder: string;
    settings: BuildSettings;
    output?: string;
  },
): string[] {
  const { image, args, labels, target, platforms, secrets, fresh } = order;
  const own = settings.builder !== undefined;
  return [
    'build',
    `--builder=${builder}`,
    '--progress=rawjson',
    `--file=${root}/${dockerfile}`,
    // A builder of its own pushes under the digest alone, which does not go with a tag.
    ...(own ? [] : [`--tag=${image}`]),
    ...(output === undefined ? [] : [`--output=${output}`]),
    ...each('label', labels),
    ...(own && output !== 'type=cacheonly' ? annotationArguments(order) : []),
    ...each('build-arg', args),
    ...(target === undefined ? [] : [`--target=${target}`]),
    ...(platforms.length === 0 ? [] : [`--platform=${platforms.join(',')}`]),
    ...secrets.map((id, index) => `--secret=id=${id},env=${secretVariable(index)}`),
    ...(settings.network === 'default' ? [] : [`--network=${settings.network}`]),
    ...(settings.network === 'host' ? ['--allow=network.host'] : []),
    ...(fresh ? ['--no-cache', '--pull'] : []),
    ...cacheArguments(order, own),
    '--',
    root,
  ];
}

const period = 100_000;

/** The driver of a BuildKit in a container, with what it may use of its machine. */
function containerDriver(
  image: string,
  { memory, cpus, network }: BuildSettings,
  config: string | undefined,
): string[] {
  const options = {
    image,
    'default-load': 'false',
    ...(network === 'host' && { network: 'host' }),
    ...(memory !== undefined && { memory: String(Number(billionths(memory) ?? 0n) / 1e9) }),
    ...(cpus !== undefined && { 'cpu-period': String(period), 'cpu-quota': String(Math.round(cpus * period)) }),
  };
  return [
    '--driver=docker-container',
    ...each('driver-opt', options),
    ...(config === undefined ? [] : [`--buildkitd-config=${config}`]),
    ...(network === 'host' ? ['--buildkitd-flags=--allow-insecure-entitlement network.host'] : []),
  ];
}

/** Arguments of `buildx create`. */
export function builderArguments(name: string, settings: BuildSettings, config: string | undefined): string[] {
  const { builder = { image: '' } } = settings;
  const first = ['create', `--name=${name}`];
  if ('image' in builder) return [...first, ...containerDriver(builder.image, settings, config)];
  const { ca, cert, key } = builder.tls ?? {};
  const files = builder.tls ? each('driver-opt', { cacert: ca ?? '', cert: cert ?? '', key: key ?? '' }) : [];
  return [...first, '--driver=remote', ...files, '--', builder.address];
}
