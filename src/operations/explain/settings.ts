import { at, type Json, text } from '../../core/json.ts';
import { list } from '../../core/observed.ts';
import { ended, type Find, type Finding, kubectl, kubectlName, nameOf, sentence } from './finding.ts';
import { stuckContainers } from './images.ts';
import type { Picture } from './picture.ts';
import { mountProblem } from './volumes.ts';

type Keeper = 'ConfigMap' | 'Secret';

/** What the kubelet says is missing: a ConfigMap or Secret, or a key of one. */
function missingIn(said: string): { kind: Keeper; name: string; key?: string } | undefined {
  const key = /couldn't find key (\S+) in (ConfigMap|Secret) [^/\s]+\/(\S+)/.exec(said);
  if (key) return { kind: key[2] === 'Secret' ? 'Secret' : 'ConfigMap', name: key[3] ?? '', key: key[1] ?? '' };
  const listed = /references non-existent (secret|config) key: (\S+)/.exec(said);
  const whole = /(configmap|secret) "([^"]+)" not found/i.exec(said);
  if (whole) return { kind: whole[1]?.toLowerCase() === 'secret' ? 'Secret' : 'ConfigMap', name: whole[2] ?? '' };
  return listed ? { kind: listed[1] === 'secret' ? 'Secret' : 'ConfigMap', name: '', key: listed[2] ?? '' } : undefined;
}

/** A key that the pods read of it, for the command; what there is to choose from is not ours to guess. */
function wantedKeys({ pods }: Picture, kind: Keeper, name: string): string[] {
  const field = kind === 'Secret' ? 'secretKeyRef' : 'configMapKeyRef';
  const containers = pods.flatMap((pod) => [
    ...list(at(pod, 'spec', 'initContainers')),
    ...list(at(pod, 'spec', 'containers')),
  ]);
  const refs: (Json | undefined)[] = containers.flatMap(({ env }) =>
    list(env).map((variable) => at(variable, 'valueFrom', field)),
  );
  return [...new Set(refs.filter((ref) => at(ref, 'name') === name).map((ref) => text(at(ref, 'key'))))];
}

function commandFor(picture: Picture, { kind, name, key }: NonNullable<ReturnType<typeof missingIn>>): string {
  const keys = key === undefined ? wantedKeys(picture, kind, name) : [key];
  const [first = 'KEY', ...rest] = keys;
  const pairs = [first, ...rest].map((each) => `${each}=…`);
  if (name === '') return kubectl(picture, 'edit', kubectlName(picture));
  if (kind === 'ConfigMap') return `/ship config set ${name} ${pairs.join(' ')} in ${picture.place.env}`;
  if (key === undefined)
    return kubectl(picture, 'create', 'secret', 'generic', name, ...pairs.map((pair) => `--from-literal=${pair}`));
  return kubectl(picture, 'patch', 'secret', name, '-p', JSON.stringify({ stringData: { [key]: '…' } }));
}

/** What a container's settings lack, in its own status or in what its volumes wait for. */
function problems(picture: Picture): { pod: string; said: string }[] {
  const stuck = stuckContainers(picture).filter(({ symptom }) => symptom === 'bad-config');
  const mount = mountProblem(picture);
  const waiting = stuck.map(({ pod, container }) => ({ pod, said: container.message }));
  return mount ? [...waiting, mount] : waiting;
}

/** A ConfigMap or Secret, or a key of one, that the pods need and that is not there. */
export const missingSettings: Find = (picture): Finding | undefined => {
  for (const { said } of problems(picture)) {
    const missing = missingIn(said);
    if (!missing) continue;
    const { kind, name, key } = missing;
    const whole = `the ${kind} ${name}`.trim();
    return {
      code: key === undefined ? `no-${kind.toLowerCase()}` : 'no-key',
      what: key === undefined ? `${whole} is missing` : `${whole} has no key ${key}`,
      cause: ended(`The pods need it to start: ${said}`),
      remedy: key === undefined ? 'Make it; the pods start by themselves then:' : 'Set the key, or correct its name:',
      command: commandFor(picture, missing),
      goBack: true,
    };
  }
  return undefined;
};

/** Any other setting that keeps a container from being made. */
export const badSettings: Find = (picture): Finding | undefined => {
  const [problem] = problems(picture).filter(({ pod }) => picture.pods.some((each) => nameOf(each) === pod));
  const stuck = stuckContainers(picture).find(({ symptom }) => symptom === 'bad-config');
  if (!problem || !stuck) return undefined;
  const asRoot = problem.said.includes('runAsNonRoot');
  return {
    code: asRoot ? 'runs-as-root' : 'bad-config',
    what: asRoot ? 'its image runs as root, which the pod forbids' : 'a container can’t be made of its settings',
    cause: sentence(problem.said),
    remedy: asRoot ? 'Set runAsUser to a number other than 0, or USER in the Dockerfile:' : 'Correct what it names:',
    command: kubectl(picture, 'edit', kubectlName(picture)),
    goBack: true,
  };
};
