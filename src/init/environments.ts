import type { Peopled } from './survey.ts';

/** A line of settings: its key, its value, and what was guessed in it. */
export type Guess = { key: string; value: Record<string, string | boolean>; guessed?: string };

/** An environment that was guessed from a namespace, or a pattern for several. */
export type GuessedEnvironment = Guess & { production: boolean };

const trial =
  /(^|-)(stag(e|ing)?|dev(el(opment)?)?|test(ing)?|qa|uat|int(egration)?|sandbox|demo|preview|pr|review|feature)(-|$|\d)/;
const production = /(^|-)(prod(uction)?|live)(-|$|\d)/;
const passing = new Set(['preview', 'pr', 'review', 'mr', 'feature', 'branch']);

/** Environments in the file at most: what is beyond is said in a comment. */
const most = 10;

const count = (n: number) => (n === 1 ? '1 workload runs' : `${n} workloads run`);

/** What names of environments that come and go begin with: `shop-pr` in `shop-pr-12`. */
function passingPrefix(name: string): string | undefined {
  const words = name.split('-');
  const at = words.slice(0, -1).findLastIndex((word) => passing.has(word));
  return at === -1 ? undefined : words.slice(0, at + 1).join('-');
}

/** The namespaces that environments look like; where none does, all that people run something in. */
function meant(all: readonly Peopled[], named: boolean): readonly Peopled[] {
  const speaking = all.filter(({ name }) => trial.test(name) || production.test(name));
  return named || speaking.length === 0 ? all : speaking;
}

function one({ name, runs }: Peopled, cluster: string | undefined): GuessedEnvironment {
  const isTrial = trial.test(name) && !production.test(name);
  const why = isTrial || production.test(name) ? '' : ', and its name does not say what it is: approvals are asked for';
  return {
    key: name,
    production: !isTrial,
    value: {
      ...(cluster !== undefined && { cluster }),
      namespace: name,
      ...(!isTrial && !/^(prod|live)/.test(name) && { production: true }),
    },
    guessed: `${count(runs.length)} there${why}`,
  };
}

/** Environments by their namespaces; those that come and go by a pattern. */
export function guessEnvironments(
  all: readonly Peopled[],
  { named, cluster }: { named: boolean; cluster: string | undefined },
): { environments: GuessedEnvironment[]; more: number } {
  const passed = new Map<string, Peopled[]>();
  const lasting: Peopled[] = [];
  for (const each of meant(all, named)) {
    const prefix = production.test(each.name) ? undefined : passingPrefix(each.name);
    if (prefix === undefined) lasting.push(each);
    else passed.set(prefix, [...(passed.get(prefix) ?? []), each]);
  }
  const patterns = [...passed].map(([prefix, those]) => ({
    key: `${prefix}-*`,
    production: false,
    value: { ...(cluster !== undefined && { cluster }), namespace: '{env}' },
    guessed: `they come and go: ${those
      .map(({ name }) => name)
      .slice(0, 3)
      .join(', ')}`,
  }));
  const environments = [...lasting.map((each) => one(each, cluster)), ...patterns];
  return { environments: environments.slice(0, most), more: Math.max(0, environments.length - most) };
}
