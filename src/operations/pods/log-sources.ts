import { fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import { didYouMean } from '../../core/near.ts';
import { type ContainerFacts, containersOf, shortName } from './facts.ts';
import { nameIn } from './raw.ts';

/** One container of one pod, and what its lines are called. */
export type Source = { pod: string; container: string; label: string };

/** The container that is meant where nobody says so: the app's own, the one the pod names, or the first. */
export function mainContainer(pod: JsonObject, appContainer: string | undefined): string {
  const own = containersOf(pod).filter(({ role }) => role === 'own');
  const named = text(at(pod, 'metadata', 'annotations', 'kubectl.kubernetes.io/default-container'));
  const found = [appContainer, named].find((name) => own.some((container) => container.name === name));
  return found ?? own[0]?.name ?? '';
}

/** The containers that are meant. @throws Fault NO_SUCH_OBJECT */
export function chosenContainers(
  pod: JsonObject,
  { container, appContainer }: { container?: string | undefined; appContainer?: string | undefined },
): string[] {
  const all = containersOf(pod);
  const names = all.map(({ name }) => name);
  if (container === 'all' && !names.includes('all')) return names;
  if (container === undefined) return [mainContainer(pod, appContainer)];
  if (names.includes(container)) return [container];
  const near = didYouMean(container, names) || ` It has ${names.join(', ')}.`;
  throw fault('NO_SUCH_OBJECT', { kind: 'container', name: container, where: nameIn(pod), near });
}

/** Where lines come from; they are labelled as far as needed to tell them apart. */
export function sourcesOf(
  pods: readonly JsonObject[],
  wanted: { container?: string | undefined; appContainer?: string | undefined; workload: string; alone?: boolean },
): Source[] {
  const manyPods = wanted.alone === undefined ? pods.length > 1 : !wanted.alone;
  return pods.flatMap((pod) => {
    const containers = chosenContainers(pod, wanted);
    return containers.map((container) => {
      const label = [
        ...(manyPods ? [shortName(pod, wanted.workload)] : []),
        ...(wanted.container === 'all' ? [container] : []),
      ].join('/');
      return { pod: nameIn(pod), container, label };
    });
  });
}

/** The other containers that one might have meant. */
export function othersNote(pods: readonly JsonObject[], sources: readonly Source[]): string | undefined {
  const shown = new Set(sources.map(({ container }) => container));
  const others = new Set(pods.flatMap((pod) => containersOf(pod).map(({ name }: ContainerFacts) => name)));
  const left = [...others].filter((name) => !shown.has(name));
  return left.length === 0
    ? undefined
    : `container ${[...shown].join(', ')}; there are also ${left.join(', ')} (container=all)`;
}
