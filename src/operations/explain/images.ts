import { type ContainerState, containerStates, symptomOf } from '../../core/containers.ts';
import { at, text } from '../../core/json.ts';
import { list } from '../../core/observed.ts';
import {
  ended,
  type Find,
  type Finding,
  imageName,
  kubectl,
  kubectlName,
  nameOf,
  registryOf,
  sentence,
} from './finding.ts';
import type { Picture } from './picture.ts';

export type Stuck = { pod: string; container: ContainerState; symptom: ReturnType<typeof symptomOf> };

/** Kubernetes waits five minutes at most before it starts a container again. */
const longestBackoffMs = 360_000;

/** Without a readiness probe a container counts as ready between two crashes too. */
const endedLately = ({ exit, init }: ContainerState, now: number) =>
  !init && exit !== undefined && now - exit.endedAt < longestBackoffMs;

/** The containers of the newest pods that something keeps from running, in the order in which they begin. */
export function stuckContainers({ pods, now }: Pick<Picture, 'pods' | 'now'>): Stuck[] {
  return pods.flatMap((pod) =>
    containerStates(pod)
      .filter((container) => !container.ready || endedLately(container, now))
      .map((container) => ({ pod: nameOf(pod), container, symptom: symptomOf(container) }))
      .filter(({ symptom }) => symptom !== undefined),
  );
}

/** The image as the template names it: a pod's status may have another name for it. */
function imageOf({ pods }: Picture, { pod, container }: Stuck): string {
  const found = pods.find((each) => nameOf(each) === pod);
  const all = [...list(at(found, 'spec', 'initContainers')), ...list(at(found, 'spec', 'containers'))];
  return text(all.find(({ name }) => name === container.name)?.image) || container.image;
}

/** What registries and runtimes say. https://github.com/containerd/containerd, docker/distribution */
const refusals: readonly { says: RegExp; code: string; what: (image: string) => string; remedy: string }[] = [
  {
    says: /unauthorized|authentication required|authorization failed|pull access denied|403 Forbidden|401 Unauthorized/i,
    code: 'image-forbidden',
    what: (image) => `the registry does not let the nodes pull ${image}`,
    remedy: 'Give the pods an imagePullSecret that may pull it, or check that the one they have still holds:',
  },
  {
    says: /no match for platform|does not provide the specified platform/i,
    code: 'image-platform',
    what: (image) => `${image} is not built for the nodes’ processors`,
    remedy: 'Build it for their platform, or choose nodes that fit:',
  },
  {
    says: /dial tcp|no such host|connection refused|i\/o timeout|TLS handshake|x509|server gave HTTP response|deadline exceeded/i,
    code: 'registry-away',
    what: (registry) => `the registry ${registry} can’t be reached`,
    remedy: 'Check that the registry’s name is right and that it answers from the nodes.',
  },
  {
    says: /not found|manifest unknown|does not exist/i,
    code: 'no-image',
    what: (image) => `the image ${image} does not exist`,
    remedy: 'Deploy a tag that exists, or build and push this one.',
  },
];

const steps = ['resolve reference', 'do request', 'resolve image', 'pull and unpack image'];

/** The part of a pull's failure that tells most: what comes last, without the way there. */
function cause(said: string): string {
  const inner = /ErrImagePull: (.*)$/s.exec(said)?.[1] ?? said;
  const begins = steps.map((step) => inner.lastIndexOf(`failed to ${step}`)).sort((a, b) => b - a);
  const way = /^[^:"]*"[^"]*": /;
  const last = begins.find((at) => at >= 0 && way.test(inner.slice(at)));
  const rest = last === undefined ? inner : inner.slice(last).replace(way, '');
  return ended(`The node says: ${rest.replace(/^rpc error: code = \w+ desc = /, '')}`);
}

/** An image that can't be had. */
export const noImage: Find = (picture): Finding | undefined => {
  const stuck = stuckContainers(picture).find(({ symptom }) => symptom === 'bad-image' || symptom === 'image-pull');
  if (!stuck) return undefined;
  const { container, pod, symptom } = stuck;
  const image = imageOf(picture, stuck);
  const set = kubectl(picture, 'set', 'image', kubectlName(picture), `${container.name}=IMAGE:TAG`);
  const shared = { goBack: true as const, cause: cause(container.message) };
  if (container.waiting === 'InvalidImageName')
    return {
      ...shared,
      code: 'bad-image-name',
      what: `“${image}” is not an image’s name`,
      cause: sentence(container.message),
      remedy: 'Write it as registry/name:tag:',
      command: set,
    };
  if (symptom === 'bad-image')
    return {
      ...shared,
      code: 'no-image',
      what: `the node has no image ${imageName(image)}, and may not pull it`,
      remedy: 'Set imagePullPolicy to IfNotPresent, or load the image onto the nodes:',
      command: kubectl(picture, 'edit', kubectlName(picture)),
    };
  const found = refusals.find(({ says }) => says.test(container.message));
  if (!found)
    return {
      ...shared,
      code: 'image-pull',
      what: `the image ${imageName(image)} can’t be pulled`,
      remedy: 'See what the node says of it:',
      command: kubectl(picture, 'describe', 'pod', pod),
    };
  const { code, what, remedy } = found;
  const command = code === 'no-image' ? set : kubectl(picture, 'describe', 'pod', pod);
  return {
    ...shared,
    code,
    what: what(code === 'registry-away' ? registryOf(image) : imageName(image)),
    remedy,
    command,
  };
};
