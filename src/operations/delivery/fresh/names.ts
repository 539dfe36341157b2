import { fault } from '../../../core/errors.ts';
import type { Place } from '../../../core/place.ts';

/** As many letters as a label's value may have, and most names. */
const longest = 63;

/** How much longer the names are that are made of a workload's, by its kind, and why they may not be longer than that. */
const grows: Partial<Record<Place['kind'], { by: string; why: string }>> = {
  Deployment: {
    by: '-baseline',
    why: 'a canary of it has NAME-canary and NAME-baseline beside it, and Kubernetes takes 63 letters',
  },
  // https://github.com/kubernetes/kubernetes/issues/64023
  StatefulSet: {
    by: '-0123456789',
    why: 'Kubernetes marks its pods with NAME and eleven letters more, and takes 63',
  },
};

/** How many letters fewer its name would have to have, so that a name with `suffix` is one that Kubernetes takes. */
export const lettersOver = (workload: string, suffix: string): number =>
  Math.max(0, workload.length + suffix.length - longest);

/** @throws Fault NAME_TOO_LONG where pods, or what a canary needs, would find no name */
export function checkName({ app, kind, workload: name }: Place): void {
  const { by = '', why = '' } = grows[kind] ?? {};
  if (lettersOver(name, by) === 0) return;
  throw fault('NAME_TOO_LONG', {
    app,
    name,
    kind,
    letters: String(name.length),
    most: String(longest - by.length),
    why,
  });
}
