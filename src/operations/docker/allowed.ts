import { fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import { find } from './find.ts';
import type { OnHost } from './host.ts';

/** What a container may have only where `shipmate.yaml` says so: each is a way out of it, into its host. */

function refuse(host: OnHost, what: string, setting: string, allowed: string): never {
  throw fault('NOT_ALLOW_LISTED', {
    what,
    env: `the Docker host ${host.name}`,
    setting: `dockerHosts.${host.name}.allow.${setting}`,
    allowed,
  });
}

/** `/srv/data` is within `/srv`, and `/srvx` is not. */
const isWithin = (path: string, folder: string): boolean =>
  folder === '/' || path === folder || path.startsWith(`${folder.replace(/\/$/, '')}/`);

const tidy = (path: string): string => path.replace(/\/+/g, '/').replace(/(.)\/$/, '$1');

function checkFolder(host: OnHost, folder: string, said: string): void {
  const { mounts } = host.settings.allow;
  const parts = tidy(folder).split('/');
  if (!parts.includes('..') && !parts.includes('.') && mounts.some((allowed) => isWithin(tidy(folder), tidy(allowed))))
    return;
  refuse(host, said, 'mounts', mounts.join(', ') || 'no folder of the host');
}

/** A local volume can be a folder of the host under another name (`type=none`, `o=bind`). */
function checkVolume(host: OnHost, volume: JsonObject, name: string): void {
  const device = text(at(volume, 'Options', 'device'));
  const bound = /(^|,)r?bind(,|$)/.test(text(at(volume, 'Options', 'o')));
  if (bound) checkFolder(host, device, `The volume ${name}, which is the folder ${device},`);
}

async function checkMount(host: OnHost, mount: string, signal: AbortSignal): Promise<void> {
  const [source = ''] = mount.split(':');
  if (source.startsWith('/')) return checkFolder(host, source, `The folder ${source}`);
  const volume = await find(host, 'volume', source, signal);
  if (volume) checkVolume(host, volume, source);
}

export function checkImage(host: OnHost, image: string): void {
  const { images } = host.settings.allow;
  if (images && !images.some((start) => image.startsWith(start)))
    refuse(host, `The image ${image}`, 'images', images.join(', '));
}

type Wanted = {
  image: string;
  mounts?: readonly string[] | undefined;
  network?: string | undefined;
  privileged?: boolean | undefined;
};

/** @throws Fault NOT_ALLOW_LISTED */
export async function checkAllowed(host: OnHost, wanted: Wanted, signal: AbortSignal): Promise<void> {
  const { allow } = host.settings;
  checkImage(host, wanted.image);
  if (wanted.privileged && !allow.privileged) refuse(host, 'A privileged container', 'privileged', 'false');
  if (wanted.network === 'host' && !allow.hostNetwork) refuse(host, 'The host’s network', 'hostNetwork', 'false');
  for (const mount of wanted.mounts ?? []) await checkMount(host, mount, signal);
}
