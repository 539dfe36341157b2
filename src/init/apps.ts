import { Label } from '../core/name-pattern.ts';
import { some } from '../core/some.ts';
import type { Guess } from './environments.ts';
import type { Peopled, Ran } from './survey.ts';

/** Registries that anybody pulls from: what lies there is seldom a team's own. */
const everybodys = /^(docker\.io|quay\.io|registry\.k8s\.io|gcr\.io|mcr\.microsoft\.com|public\.ecr\.aws)\//;

const most = { patterns: 3, apps: 12 };

/** Where an image lies that is called like its workload: `registry.example.com/team` for cart in `…/team/cart`. */
function homeOf({ kind, name, repository, guessed }: Ran): string | undefined {
  const fits = repository?.endsWith(`/${name}`) && guessed === undefined;
  return fits && (kind === 'Deployment' || kind === 'Rollout') ? repository?.slice(0, -name.length - 1) : undefined;
}

/** What all names begin with, up to a dash: `shop-`. */
function beginning(names: readonly string[]): string {
  const [first = ''] = names;
  const dashes = [...first].flatMap((letter, at) => (letter === '-' ? [at + 1] : []));
  return (
    dashes.map((end) => first.slice(0, end)).findLast((start) => names.every((name) => name.startsWith(start))) ?? ''
  );
}

/** The patterns that images share, the one that most share first: that one is for all names. */
function patternsOf(
  runs: readonly Ran[],
  registry: string | undefined,
): { guess: Guess; home: string; start: string }[] {
  const homes = new Map<string, Set<string>>();
  for (const ran of runs) {
    const home = homeOf(ran);
    const own = registry === undefined ? !everybodys.test(ran.repository ?? '') : `${home}/`.startsWith(`${registry}/`);
    if (home !== undefined && own) homes.set(home, (homes.get(home) ?? new Set()).add(ran.name));
  }
  const shared = [...homes].filter(([, names]) => names.size > 1 || registry !== undefined);
  const sorted = shared.sort(([a, one], [b, other]) => other.size - one.size || a.localeCompare(b));
  const starts = new Set<string>();
  return sorted.slice(0, most.patterns).flatMap(([home, names], index) => {
    const start = index === 0 ? '' : beginning([...names]);
    // A key stands for one repository: what is called alike and lies elsewhere is written out.
    if (starts.has(start) || (index > 0 && start === '')) return [];
    starts.add(start);
    const guessed = `as for ${some([...names], 3)}`;
    return [{ home, start, guess: { key: `${start}*`, value: { image: `${home}/{app}` }, guessed } }];
  });
}

/** A repository that a pattern would lead to and that something runs from, to ask the registry about. */
export function sampleOf(namespaces: readonly Peopled[], registry: string | undefined): string | undefined {
  const runs = namespaces.flatMap(({ runs }) => runs);
  const [first] = patternsOf(runs, registry);
  return runs.find((ran) => first !== undefined && homeOf(ran) === first.home)?.repository;
}

function written(ran: Ran): Guess {
  const { kind, name, repository = '', container, guessed } = ran;
  const value = {
    image: repository,
    ...(kind !== 'Deployment' && { kind }),
    ...(guessed !== undefined && { container }),
  };
  return { key: name, value, guessed: guessed === undefined ? 'by its image' : `the container is ${guessed}` };
}

/** Apps by patterns where images share a place, others by name. */
export function guessApps(
  namespaces: readonly Peopled[],
  registry: string | undefined,
): { apps: Guess[]; more: number } {
  const all = namespaces.flatMap(({ runs }) => runs);
  const runs = all.filter(({ name }, index) => all.findIndex((other) => other.name === name) === index);
  const patterns = patternsOf(runs, registry);
  const covering = (name: string) =>
    [...patterns].sort((a, b) => b.start.length - a.start.length).find(({ start }) => name.startsWith(start));
  const rest = runs.filter((ran) => {
    const home = homeOf(ran);
    const fits = home !== undefined && covering(ran.name)?.home === home;
    return !fits && ran.repository !== undefined && Label.safeParse(ran.name).success;
  });
  // A team's own first: what the pattern would lead to the wrong image for, and somebody is to deploy.
  const foreign = ({ repository = '' }: Ran) => Number(everybodys.test(repository));
  rest.sort((a, b) => foreign(a) - foreign(b));
  const fallback: Guess[] =
    registry !== undefined && patterns.length === 0
      ? [{ key: '*', value: { image: `${registry}/{app}` }, guessed: 'nothing runs from there yet' }]
      : [];
  return {
    apps: [...patterns.map(({ guess }) => guess), ...fallback, ...rest.slice(0, most.apps).map(written)],
    more: Math.max(0, rest.length - most.apps),
  };
}
