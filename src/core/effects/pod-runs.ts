import { at, digestOf, type Json } from '../json.ts';
import { handlers } from './baseline-checks.ts';
import { list } from './pod-check.ts';
import type { Part } from './pod-parts.ts';

/**
 * What a container runs, bit by bit: of one that goes beyond what its environment takes, whoever chooses these has what it has.
 * Its size, its labels and what the kubelet asks of it over the network are not among them.
 */

const whole = ['image', 'command', 'args', 'script', 'source'];
const eachOf = ['env', 'envFrom', 'volumeDevices'];

const bit = (field: string, value: Json): string => `${field} ${digestOf(value)}`;

/** Mounts, with where they lead: the same name may stand for another volume. Paths of the node are looked at by themselves. */
function mountBits({ own, volumes }: Part): string[] {
  return list(own.volumeMounts).flatMap(
    ({ readOnly, recursiveReadOnly: _, mountPropagation = null, name = '', ...mount }) => {
      const named = volumes.filter((volume) => volume.name === name);
      const ofNode = named.some(({ hostPath }) => (hostPath ?? undefined) !== undefined);
      const what = ofNode ? [at(mount, 'mountPath') ?? ''] : [mount, named.length > 0 ? named : name];
      const spreads = mountPropagation === null || mountPropagation === 'None' ? [] : [[what, mountPropagation]];
      return [
        bit('volumeMounts', what),
        ...spreads.map((each) => bit('volumeMounts', each)),
        ...(readOnly === true || ofNode ? [] : [bit('volumeMounts', [what, 'writes'])]),
      ];
    },
  );
}

/** @returns a name of a field with a digest for each bit, so that one fewer is none that is new */
export function bitsOf(part: Part): string[] {
  const { own } = part;
  return [
    ...whole.map((field) => bit(field, own[field] ?? null)),
    ...eachOf.flatMap((field) => list(own[field]).map((each) => bit(field, each))),
    ...mountBits(part),
    ...handlers.flatMap((path) => {
      const exec = at(own, ...path, 'exec') ?? null;
      return exec === null ? [] : [bit(path.join('.'), exec)];
    }),
  ];
}

/** The fields that bits are of, each once. */
export const fieldsOf = (bits: readonly string[]): string =>
  [...new Set(bits.map((each) => each.split(' ')[0]))].join(', ');
