import type { Peopled } from './survey.ts';

/** A line of settings: its key, its value, and what was guessed in it. */
export type Guess = { key: string; value: Record<string, string | boolean>; guessed?: string };

/** An environment that was guessed from a namespace, or a pattern for several. `trial`: its name says so by itself. */
export type GuessedEnvironment = Guess & { trial: boolean };

const speaking =
  /(^|-)(stag(e|ing)?|dev(el(opment)?)?|test(ing)?|qa|uat|int(egration)?|sandbox|demo|preview|pr|review|feature)(-|$|\d)/;
/** `feature-flags`, `test-results` and `dev-portal` are no trials: but for `staging`, the word must be the last. */
const trial =
  /(^|-)(staging(-|$|\d)|(stag(e|ing)?|dev(el(opment)?)?|test(ing)?|qa|uat|int(egration)?|sandbox|demo)-?\d*$)/;
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
  const telling = all.filter(({ name }) => speaking.test(name) || production.test(name));
  return named || telling.length === 0 ? all : telling;
}

function one({ name, runs }: Peopled, cluster: string | undefined): GuessedEnvironment {
  const isTrial = trial.test(name) && !production.test(name);
  const why = isTrial || production.test(name) ? '' : ', and its name does not say what it is: approvals are asked for';
  return {
    key: name,
    trial: isTrial,
    value: {
      ...(cluster !== undefined && { cluster }),
      namespace: name,
      ...(!isTrial && !/^(prod|live)/.test(name) && { production: true }),
    },
    guessed: `${count(runs.length)} there${why}`,
  };
}

/**
 * Environments by their namespaces; those that come and go by a pattern, where there are two or more of them. Such a pattern is for
 * names that nobody has seen, and so it is no trial.
 */
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
  for (const [prefix, those] of passed) {
    if (those.length > 1) continue;
    passed.delete(prefix);
    lasting.push(...those);
  }
  const patterns = [...passed].map(([prefix, those]) => ({
    key: `${prefix}-*`,
    trial: false,
    value: { ...(cluster !== undefined && { cluster }), namespace: '{env}' },
    guessed: `they come and go: ${those
      .map(({ name }) => name)
      .slice(0, 3)
      .join(', ')}`,
  }));
  const environments = [...lasting.map((each) => one(each, cluster)), ...patterns];
  return { environments: environments.slice(0, most), more: Math.max(0, environments.length - most) };
}
