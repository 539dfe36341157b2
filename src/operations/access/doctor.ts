import { z } from 'zod';
import { environmentEntry, environmentNames } from '../../core/apps.ts';
import { Fault } from '../../core/errors.ts';
import { defineOperation } from '../../core/operation.ts';
import { EnvRef, type Site, siteCalled } from '../../core/place.ts';
import type { Settings } from '../../core/settings.ts';
import { within } from '../../core/within.ts';
import { clockFinding, type Doctor, type Finding, nameFindings, namespaceFindings } from './findings.ts';
import { lackingEverywhere, lackText, needsOfAll } from './own-rights.ts';

/** A cluster that takes longer counts as away. */
const patienceMs = 10_000;

async function clusterFindings(run: Doctor, cluster: string, sites: readonly Site[]): Promise<Finding[]> {
  const signal = within(run.signal, patienceMs);
  try {
    const kube = run.on.kube(cluster);
    const began = run.now();
    const version = await kube.version(signal);
    const answers: Finding = [cluster, `answers in ${run.now() - began} ms`, version];
    const personal = sites.some(({ env }) => environmentEntry(run.settings, env)?.its.impersonate);
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
  const names = env === undefined ? environmentNames(settings) : [env];
  const found = Map.groupBy(
    names.map((name) => siteCalled(settings, name)),
    ({ cluster }) => cluster,
  );
  // A cluster that only environments of a pattern are in is looked at too.
  const others = env === undefined ? Object.values(settings.environments).map(({ cluster }) => cluster) : [];
  for (const cluster of others) if (!found.has(cluster)) found.set(cluster, []);
  return found;
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
