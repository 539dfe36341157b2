import { spanText } from '../../core/moments.ts';
import type { RunContext } from '../../core/operation.ts';
import { bindCommand, needText } from '../../core/permission.ts';
import type { Site } from '../../core/place.ts';
import { isUnbounded, lackingIn, lackText, may, needsOfAll, rightsIn } from './own-rights.ts';

/** A clock that is off by more than this makes tokens, approvals and freezes go wrong. */
const clockMs = 5_000;
export type Doctor = RunContext<'kube' | 'setup', 'look'>;
/** Where, what, and what it is about or how to mend it. */
export type Finding = [where: string, finding: string, more: string];

/** What a clock's difference means; nothing where it is small. */
export function clockFinding(aheadMs: number | undefined): [string, string] | undefined {
  if (aheadMs === undefined || Math.abs(aheadMs) <= clockMs) return undefined;
  const way = aheadMs > 0 ? 'ahead of' : 'behind';
  return [
    `its clock and ours differ: ours is ${spanText(Math.abs(aheadMs))} ${way} it`,
    'Set the clocks by NTP: tokens and approvals expire by them.',
  ];
}

/** What is wrong in an environment's namespace. */
export async function namespaceFindings(run: Doctor, site: Site, signal: AbortSignal): Promise<Finding[]> {
  const kube = run.on.kube(site.cluster);
  const { env, namespace } = site;
  const where = `${env} (${site.cluster}/${namespace})`;
  const needs = needsOfAll(run.catalogue);
  const rights = await rightsIn(kube, namespace, signal);
  const lacking = await lackingIn(kube, namespace, rights, needs, signal);
  // The role of the cluster as a whole gives some of it everywhere.
  const wide = new Set(needs.filter(({ everywhere }) => everywhere).map(needText));
  const mine = needs.filter((need) => !need.everywhere && !wide.has(needText(need))).length;
  if (lacking.length > 0.8 * mine)
    return [[where, 'next to nothing is allowed there: is the namespace there, and Shipmate let in?', bindCommand]];
  const ref = { apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace };
  const there = await kube.read(ref, signal).catch(() => ({}));
  const unbounded: Finding[] = isUnbounded(rights)
    ? [
        [
          where,
          'everything is allowed there, which is more than any operation needs',
          `Give it what deploy/k8s/cluster-role.yaml says: ${bindCommand}`,
        ],
      ]
    : [];
  const found: Finding[] =
    there === undefined ? [[where, 'the namespace does not exist', `kubectl create namespace ${namespace}`]] : [];
  found.push(...unbounded, ...lackText(run.catalogue, lacking).map(([what, why]): Finding => [where, what, why]));
  return found.length > 0 ? found : [[where, 'all that operations need is allowed', '']];
}

/** Whether Shipmate may act in the names of the people, where an environment wants it to. */
export async function nameFindings(run: Doctor, cluster: string, signal: AbortSignal): Promise<Finding[]> {
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
        : [[cluster, `may not act in the name of ${lacking.join(', ')} (${person})`, bindCommand]];
    }),
  );
  return found.flat();
}
