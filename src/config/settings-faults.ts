import { mayAsk, noAnalysis } from '../core/analysis/template.ts';
import { environmentEntry } from '../core/apps.ts';
import { type Blank, isPattern } from '../core/name-pattern.ts';
import { didYouMean } from '../core/near.ts';
import type { Settings } from '../core/settings.ts';
import { twofoldNames } from './twofold-names.ts';
import { type SettingsFault, unknownEnvironments, unknownNames, unknownPatterns } from './unknown-names.ts';

function ruleFaults(settings: Settings, operations: readonly string[], index: number): SettingsFault[] {
  const rule = settings.policy[index];
  if (!rule) return [];
  const path = ['policy', index];
  const roles = [...Object.keys(settings.roles), 'everyone'];
  const faults = [
    ...unknownNames(rule.operations, [...operations, '*'], 'operation', [...path, 'operations']),
    ...unknownPatterns(rule.environments, settings.environments, 'environment', [...path, 'environments']),
    ...unknownPatterns(rule.apps, settings.apps, 'app', [...path, 'apps']),
    ...unknownNames(rule.who, roles, 'role', [...path, 'who']),
    ...unknownNames(rule.approvers, roles, 'role', [...path, 'approvers']),
    ...unknownNames(rule.required, roles, 'role', [...path, 'required']),
    ...unknownNames(rule.escalate?.to ?? [], roles, 'role', [...path, 'escalate', 'to']),
  ];
  const able = new Set(rule.approvers.flatMap((role) => settings.roles[role] ?? []));
  const counted = !rule.approvers.includes('everyone') && ![...able].some((member) => /^(group|claim):/.test(member));
  if (rule.approvals > able.size && counted && faults.length === 0)
    faults.push({
      path: [...path, 'approvals'],
      problem: `${rule.approvals} approvals are asked for, but ${able.size} people may approve (${rule.approvers.join(', ')}).`,
    });
  if (settings.policy.findIndex(({ name }) => name === rule.name) < index)
    faults.push({ path: [...path, 'name'], problem: `there is another rule “${rule.name}”; give each its own name.` });
  return faults;
}

/** Two people with one identity would let one person approve what the same person asked for. */
function sharedIdentities({ people }: Settings): SettingsFault[] {
  const owner = new Map<string, string>();
  return Object.entries(people).flatMap(([person, identities]) =>
    Object.entries(identities).flatMap(([kind, identity]) => {
      const id = typeof identity === 'string' ? identity : identity.user;
      const other = owner.get(`${kind} ${id}`);
      owner.set(`${kind} ${id}`, other ?? person);
      return other === undefined ? [] : [{ path: ['people', person, kind], problem: `${other} has the same ${kind}.` }];
    }),
  );
}

/** Members of a role that are no names of people. */
const memberForm = /^(slack:[UW][A-Z0-9]{2,}|group:S[A-Z0-9]{2,}|claim:[^=\s]+=\S+|webhook:[a-z]+)$/;

function freezeFaults(settings: Settings, operations: readonly string[]): SettingsFault[] {
  const roles = [...Object.keys(settings.roles), 'everyone'];
  return settings.freezes.flatMap(({ environments, apps, except }, index) => {
    const path = ['freezes', index];
    return [
      ...unknownPatterns(environments, settings.environments, 'environment', [...path, 'environments']),
      ...unknownPatterns(apps, settings.apps, 'app', [...path, 'apps']),
      ...unknownNames(except.operations, operations, 'operation', [...path, 'except', 'operations']),
      ...unknownNames(except.who, roles, 'role', [...path, 'except', 'who']),
    ];
  });
}

function glassFaults({ breakGlass, roles }: Settings): SettingsFault[] {
  const known = [...Object.keys(roles), 'everyone'];
  return [
    ...unknownNames(breakGlass.who, known, 'role', ['breakGlass', 'who']),
    ...unknownNames(breakGlass.reviewers, known, 'role', ['breakGlass', 'reviewers']),
  ];
}

/** A pattern's environment may have a fleet's name where its namespace has it too: then nobody calls it otherwise. */
function isTaken(settings: Settings, fleet: string): boolean {
  const entry = environmentEntry(settings, fleet);
  return entry !== undefined && (entry.key === fleet || entry.its.namespace !== fleet);
}

function fleetFaults(settings: Settings): SettingsFault[] {
  return Object.entries(settings.fleets).flatMap(([fleet, members]) => [
    ...unknownEnvironments(members, settings.environments, ['fleets', fleet]),
    ...(isTaken(settings, fleet)
      ? [{ path: ['fleets', fleet], problem: 'an environment has that name; a fleet needs one of its own.' }]
      : []),
  ]);
}

function clusterFaults({ clusters, environments }: Settings): SettingsFault[] {
  return Object.entries(clusters).flatMap(([name, { guardedBy }]) =>
    unknownEnvironments(guardedBy === undefined ? [] : [guardedBy], environments, ['clusters', name]),
  );
}

function hostFaults({ dockerHosts, roles, apps, environments }: Settings): SettingsFault[] {
  const known = [...Object.keys(roles), 'everyone'];
  const pushes = Object.entries(apps).flatMap(([app, { on }]) => {
    const env = on?.push?.env;
    if (env === undefined || (isPattern(app) && env.includes('{app}'))) return [];
    const path = ['apps', app, 'on', 'push', 'env'];
    return unknownEnvironments([env], environments, path).map(({ problem }) => ({ path, problem }));
  });
  const hosts = Object.entries(dockerHosts).flatMap(([name, { who, env }]) => [
    ...unknownNames(who, known, 'role', ['dockerHosts', name, 'who']),
    ...unknownEnvironments(env === undefined ? [] : [env], environments, ['dockerHosts', name]),
  ]);
  return [...pushes, ...hosts];
}

/** Templates that nothing bears, and web hooks over plain http to hosts that were not named for it. */
function analysisFaults({ apps, environments, analyses, hookHosts }: Settings): SettingsFault[] {
  const known = [...Object.keys(analyses), 'default', noAnalysis];
  const named = [
    ...Object.entries(apps).map(([name, { analysis }]) => ({ room: 'apps', name, analysis })),
    ...Object.entries(environments).map(([name, { analysis }]) => ({ room: 'environments', name, analysis })),
  ];
  const missing = named.flatMap(({ room, name, analysis }) =>
    analysis === undefined || (isPattern(name) && /\{(app|env)\}/.test(analysis)) || known.includes(analysis)
      ? []
      : [
          {
            path: [room, name, 'analysis'],
            problem: `there is no analysis “${analysis}”.${didYouMean(analysis, known)}`,
          },
        ],
  );
  const hooks = Object.entries(analyses).flatMap(([name, { metrics }]) =>
    metrics.flatMap((metric, index) =>
      metric.kind !== 'web-hook' || mayAsk(metric.url, hookHosts)
        ? []
        : [
            {
              path: ['analyses', name, 'metrics', index, 'url'],
              problem: 'a web hook is asked over https, or at a host that stands under hookHosts.',
            },
          ],
    ),
  );
  const taken = Object.hasOwn(analyses, noAnalysis)
    ? [{ path: ['analyses', noAnalysis], problem: `“${noAnalysis}” is said where nothing judges; use another name.` }]
    : [];
  return [...missing, ...hooks, ...taken];
}

function allowanceFaults({ images, apps, environments }: Settings): SettingsFault[] {
  return images.allow.flatMap((allowance, index) => {
    const path = ['images', 'allow', index];
    return [
      ...unknownPatterns(allowance.apps, apps, 'app', [...path, 'apps']),
      ...unknownPatterns(allowance.environments, environments, 'environment', [...path, 'environments']),
    ];
  });
}

/**
 * What a pattern says of where things are must differ by name, or all that it covers would be one and the same. What is written out
 * is meant as it is written, and nothing is called “{app}”.
 */
function blankFaults({ apps, environments, roles }: Settings): SettingsFault[] {
  const left = (path: readonly PropertyKey[], said: string | undefined, blank: Blank) =>
    said?.includes(blank) ? [{ path, problem: `${blank} is filled in for patterns alone: write the name.` }] : [];
  const same = (path: readonly PropertyKey[], said: string | undefined, blank: Blank) =>
    said === undefined || said.includes(blank)
      ? []
      : [{ path, problem: `is the same for all that “${String(path[1])}” covers: it needs ${blank} in it.` }];
  const ofApps = Object.entries(apps).flatMap(([name, { image, images = [], workload, container, owner, rollout }]) => {
    const path = ['apps', name];
    const blanks = isPattern(name) ? same : left;
    const open = owner === undefined || (isPattern(name) && owner.includes('{app}'));
    return [
      ...blanks([...path, 'image'], image, '{app}'),
      ...blanks([...path, 'workload'], workload, '{app}'),
      ...(isPattern(name) ? [] : left([...path, 'container'], container, '{app}')),
      ...(isPattern(name) ? [] : left([...path, 'rollout', 'service'], rollout?.service, '{app}')),
      ...(isPattern(name) ? [] : images.flatMap((each, index) => left([...path, 'images', index], each, '{app}'))),
      ...unknownNames(open ? [] : [owner], Object.keys(roles), 'role', [...path, 'owner']),
    ];
  });
  const ofEnvironments = Object.entries(environments).flatMap(([name, { namespace }]) =>
    (isPattern(name) ? same : left)(['environments', name, 'namespace'], namespace, '{env}'),
  );
  const clusters = Object.entries(environments).flatMap(([name, { cluster }]) =>
    isPattern(name) && cluster.includes('{env}')
      ? [{ path: ['environments', name, 'cluster'], problem: 'is one cluster: it has no {env} in it.' }]
      : [],
  );
  return [...ofApps, ...ofEnvironments, ...clusters];
}

/** What is wrong between the parts of settings that are each well formed: names that nothing bears. */
export function crossFaults(settings: Settings, operations: readonly string[]): SettingsFault[] {
  const people = Object.keys(settings.people);
  const roles = Object.entries(settings.roles).flatMap(([role, members]) => [
    ...(role === 'everyone' ? [{ path: ['roles', role], problem: '“everyone” is built in; use another name.' }] : []),
    ...unknownNames(
      members.map((member) => (memberForm.test(member) ? '' : member)),
      [...people, ''],
      'person',
      ['roles', role],
    ),
  ]);
  const rules = settings.policy.flatMap((_rule, index) => ruleFaults(settings, operations, index));
  return [
    ...sharedIdentities(settings),
    ...roles,
    ...rules,
    ...freezeFaults(settings, operations),
    ...glassFaults(settings),
    ...fleetFaults(settings),
    ...hostFaults(settings),
    ...clusterFaults(settings),
    ...analysisFaults(settings),
    ...allowanceFaults(settings),
    ...unknownPatterns(settings.manifests.clusterScopedIn, settings.environments, 'environment', [
      'manifests',
      'clusterScopedIn',
    ]),
    ...blankFaults(settings),
    ...twofoldNames(settings),
  ];
}
