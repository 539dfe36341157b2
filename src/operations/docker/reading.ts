import { at, isObject, type Json, type JsonObject, text } from '../../core/json.ts';
import { list, since, words } from '../kubernetes/reading.ts';

/** How Docker's objects are read into words. */

export { list, words };
export const number = (value: Json | undefined): number => (typeof value === 'number' ? value : 0);

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `830 B`, `12.4 MiB`, `1.2 GiB`. */
export function bytesText(bytes: number): string {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(bytes, 1)) / 10)));
  const amount = bytes / 1_024 ** power;
  return `${power === 0 ? amount : amount.toFixed(1)} ${units[power]}`;
}

/** Docker writes “never” as the year 1. */
export const agoText = (moment: Json | undefined, now: number): string =>
  text(moment).startsWith('0001-') ? '' : since(moment, now);

/** How long ago a number of seconds since the epoch was. */
export const ageOf = (seconds: Json | undefined, now: number): string =>
  since(new Date(number(seconds) * 1_000).toISOString(), now);

/** A container's own name, without the slash that Docker puts before it. */
export const nameOf = (container: JsonObject): string =>
  (words(container.Names)[0] ?? text(container.Name)).replace(/^\//, '');

/** `8080→80/tcp`, only what is reachable from outside; once for each address family. */
export function portsText(container: JsonObject): string {
  const open = list(container.Ports).filter(({ PublicPort: port }) => port !== undefined);
  return [
    ...new Set(
      open.map(({ IP: ip, PublicPort: outer, PrivatePort: inner, Type: type }) => {
        const address = text(ip) === '' || text(ip) === '0.0.0.0' || text(ip) === '::' ? '' : `${text(ip)}:`;
        return `${address}${number(outer)}→${number(inner)}/${text(type)}`;
      }),
    ),
  ].join(', ');
}

/** Short as people write it: twelve digits. */
export const shortId = (id: Json | undefined): string =>
  text(id)
    .replace(/^sha256:/, '')
    .slice(0, 12);

export const labelOf = (object: Json | undefined, ...path: string[]) => {
  const labels = at(object, ...path);
  return isObject(labels) ? labels : {};
};
