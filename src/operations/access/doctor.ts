import { z } from 'zod';
import { Fault } from '../../core/errors.ts';
import { spanText } from '../../core/moments.ts';
import { defineOperation, type RunContext } from '../../core/operation.ts';
import { EnvRef, type Site, siteCalled } from '../../core/place.ts';
import type { Settings } from '../../core/settings.ts';
import { isUnbounded, lackingEverywhere, lackingIn, lackText, may, needsOfAll, rightsIn } from './own-rights.ts';

/** A clock that is off by more than this makes tokens, approvals and freezes go wrong. */
const clockMs = 5_000;
/** A cluster that takes longer counts as away. */
const patienceMs = 10_000;

type Doctor = RunContext<'kube' | 'setup', 'look'>;
/** Where, what, and what it is about or how to mend it. */
type Finding = [where: string, finding: string, more: string];

const bind = 'node scripts/cluster-role.ts shipmate.yaml | kubectl apply -f -';

/** What a clock's difference means; nothing where it is small. */
export function clockFinding(aheadMs: number | undefined): [string, string] | undefined {
  if (aheadMs === undefined || Math.abs(aheadMs) <= clockMs) return undefined;
  const way = aheadMs > 0 ? 'ahead of' : 'behind';
  return [
    `its clock and ours differ: ours is ${spanText(Math.abs(aheadMs))} ${way} it`,
    'Set the clocks by NTP: tokens and approvals expire by them.',
  ];
}

async function namespaceFindings(run: Doctor, site: Site, signal: AbortSignal): Promise<Finding[]> {
  const kube = run.on.kube(site.cluster);
  const { env, namespace } = site;
  const where = `${env} (${site.cluster}/${namespace})`;
  const needs = needsOfAll(run.catalogue);
  const rights = await rightsIn(kube, namespace, signal);
  const lacking = await lackingIn(kube, namespace, rights, needs, signal);
  const mine = needs.filter(({ everywhere }) => !everywhere).length;
  // The roles of the cluster as a whole give some of it everywhere.
  if (lacking.length > 0.8 * mine)
    return [[where, 'next to nothing is allowed there: is the namespace there, and Shipmate let in?', bind]];
  const ref = { apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace };
  const there = await kube.read(ref, signal).catch(() => ({}));
  const unbounded: Finding[] = isUnbounded(rights)
    ? [
        [
          where,
          'everything is allowed there, which is more than any operation needs',
          `Give it what deploy/k8s/cluster-role.yaml says: ${bind}`,
        ],
      ]
    : [];
  const found: Finding[] =
    there === undefined ? [[where, 'the namespace does not exist', `kubectl create namespace ${namespace}`]] : [];
  found.push(...unbounded, ...lackText(run.catalogue, lacking).map(([what, why]): Finding => [where, what, why]));
  return found.length > 0 ? found : [[where, 'all that operations need is allowed', '']];
}

/** Whether Shipmate may act in the names of the people, where an environment wants it to. */
async function nameFindings(run: Doctor, cluster: string, signal: AbortSignal): Promise<Finding[]> {
  const kube = run.on.kube(cluster);
  const found = await Promise.all(
    Object.entries(run.settings.people).map(async ([person, { kubernetes }]): Promise<Finding[]> => {
      if (!kubernetes)
        return [
          [
            cluster,
            `${person} can do nothing where everybody acts in their own name`,
            'Add kubernetes.user to that person.',
          ],
        ];
      const names = [['users', kubernetes.user], ...kubernetes.groups.map((group) => ['groups', group])];
      const allowed = await Promise.all(
        names.map(([resource = '', name]) => may(kube, { verb: 'impersonate', group: '', resource }, { name }, signal)),
      );
      const lacking = names.filter((_, index) => !allowed[index]).map(([, name]) => name);
      return lacking.length === 0
        ? []
        : [[cluster, `may not act in the name of ${lacking.join(', ')} (${person})`, bind]];
    }),
  );
  return found.flat();
}

async function clusterFindings(run: Doctor, cluster: string, sites: readonly Site[]): Promise<Finding[]> {
  const signal = AbortSignal.any([run.signal, AbortSignal.timeout(patienceMs)]);
  try {
    const kube = run.on.kube(cluster);
    const began = run.now();
    const version = await kube.version(signal);
    const answers: Finding = [cluster, `answers in ${run.now() - began} ms`, version];
    const personal = sites.some(({ env }) => run.settings.environments[env]?.impersonate);
    const [ahead, wide, inNamespaces, names] = await Promise.all([
      kube.clockAheadMs(signal),
      lackingEverywhere(kube, needsOfAll(run.catalogue), signal),
      Promise.all(sites.map((site) => namespaceFindings(run, site, signal))),
      personal ? nameFindings(run, cluster, signal) : [],
    ]);
    const clock = clockFinding(ahead);
    const lacks = lackText(run.catalogue, wide).map(([what, why]): Finding => [`${cluster}, as a whole`, what, why]);
    return [
      answers,
      ...(clock ? [[cluster, ...clock] satisfies Finding] : []),
      ...lacks,
      ...inNamespaces.flat(),
      ...names,
    ];
  } catch (thrown) {
    // One cluster that is away must not hide the others.
    if (thrown instanceof Fault) return [[cluster, thrown.message, thrown.hint]];
    throw thrown;
  }
}

function sitesOf(settings: Settings, env: string | undefined): Map<string, Site[]> {
  const names = env === undefined ? Object.keys(settings.environments) : [env];
  return Map.groupBy(
    names.map((name) => siteCalled(settings, name)),
    ({ cluster }) => cluster,
  );
}

async function findings(run: Doctor, env: string | undefined): Promise<Finding[]> {
  const [store, ...clusters] = await Promise.all([
    run.on.setup.check(),
    ...[...sitesOf(run.settings, env)].map(([cluster, sites]) => clusterFindings(run, cluster, sites)),
  ]);
  return [...clusters.flat(), ...store.map(({ problem, mend }): Finding => ['Redis', problem, mend])];
}

export const doctor = defineOperation({
  name: 'doctor',
  summary:
    'Look for what is wrong: clusters that don’t answer, permissions that are missing and for what, clocks, Redis',
  effect: 'read',
  input: z.strictObject({ env: EnvRef.optional() }),
  usage: '[<env>]',
  examples: ['', 'production'],
  needs: ['kube', 'setup'],
  permissions: [
    'get namespaces',
    'create selfsubjectaccessreviews.authorization.k8s.io,selfsubjectrulesreviews.authorization.k8s.io',
  ],
  asShipmate: true,
  steps: ['look'],
  target: ({ env }) => ({ ...(env !== undefined && { env }) }),
  plan: async ({ settings }, { env }) => ({
    summary: `${sitesOf(settings, env).size} clusters and Redis`,
    changes: [],
    takesOver: [],
  }),
  run: async (run, { env }) => ({
    kind: 'table',
    title: 'What is right and what is wrong',
    columns: ['where', 'finding', 'concerns'],
    rows: await run.step('look', () => findings(run, env)),
  }),
});
