import type { JsonObject } from '../core/json.ts';
import { inOneLine as flow } from '../operations/delivery/app-entry.ts';
import { guessApps } from './apps.ts';
import { type Guess, guessEnvironments } from './environments.ts';
import type { Peopled } from './survey.ts';

/** What a workspace told: who is in it, and where they talk. */
export type Workspace = {
  people: { name: string; id: string }[];
  /** How many more there are. */
  more: number;
  channel?: { name: string; id: string };
};

export type Asked = {
  /** The context that was read. */
  context: string;
  /** It was named, so the settings name it too; else they mean whatever cluster Shipmate runs with. */
  isNamed: boolean;
  /** Namespaces that were named. */
  namespaces: readonly string[];
  registry: string | undefined;
};

const remark = (guessed: string | undefined): string => (guessed === undefined ? '' : ` # guessed: ${guessed}`);
const lineOf = ({ key, value, guessed }: Guess): string => `  ${flow(key)}: ${flow(value)}${remark(guessed)}`;
const beyond = (more: number, what: string): string[] => (more > 0 ? [`  # … and ${more} more: ${what}`] : []);

/** Two, since nobody approves what they asked for themselves. */
const nobody: Workspace['people'] = [
  { name: 'ana', id: 'U0123456789' },
  { name: 'ben', id: 'U9876543210' },
];

function peopleLines(workspace: Workspace | undefined): string[] {
  const found = workspace?.people ?? [];
  const people = found.length > 0 ? found : nobody;
  const guessed = found.length > 0 ? undefined : 'put in your own, with their Slack member ids';
  return [
    'people:',
    ...people.map(({ name, id }) => lineOf({ key: name, value: { slack: id }, ...(guessed && { guessed }) })),
    ...beyond(workspace?.more ?? 0, 'whoever is to ship needs a line'),
    'roles:',
    `  engineers: ${flow(people.map(({ name }) => name))} # guessed: leave those alone who may ship`,
  ];
}

/** Reading for all, trials for engineers, and the rest on the word of a second one. */
function policyLines(environments: ReturnType<typeof guessEnvironments>['environments']): string[] {
  const trials = environments.filter(({ trial }) => trial).map(({ key }) => key);
  const rule = (value: JsonObject, why: string) => `  - ${flow(value)} # guessed: ${why}`;
  const who = ['engineers'];
  return [
    'policy:',
    rule({ name: 'everybody may look', effects: ['read'] }, 'logs and settings are seen by all members'),
    ...(trials.length > 0
      ? [rule({ name: 'trials are free', environments: trials, who }, 'nobody depends on them')]
      : []),
    rule({ name: 'to hold things up is free', operations: ['lock', 'stop', 'away', 'back'], who }, 'it harms nothing'),
    rule({ name: 'all else takes a second person', who, approvals: 1, approvers: who }, 'one approval is enough'),
  ];
}

function channelLine({ channel }: Partial<Workspace> = {}): string {
  if (channel) return `channel: ${flow(channel.id)} # guessed: #${channel.name}`;
  return 'channel: C0123456789 # guessed: put in the id of the channel that Shipmate is to tell of itself in';
}

/** A first `shipmate.yaml`, of fifteen to fifty lines, with every guess marked. */
export function proposal(all: readonly Peopled[], workspace: Workspace | undefined, asked: Asked): string {
  const cluster = asked.isNamed ? asked.context : undefined;
  const { environments, more } = guessEnvironments(all, { named: asked.namespaces.length > 0, cluster });
  const own = new Set(environments.map(({ value }) => value.namespace));
  const isOwn = ({ name }: Peopled) =>
    own.has(name) || environments.some(({ key }) => key.endsWith('*') && name.startsWith(key.slice(0, -1)));
  const apps = guessApps(all.filter(isOwn), asked.registry);
  const inEmpty = (lines: readonly string[], key: string) =>
    lines.length > 0 ? [`${key}:`, ...lines] : [`${key}: {}`];
  return [
    `# Written by “shipmate init” from what runs in the cluster of the context ${JSON.stringify(asked.context)}.`,
    '# What is marked “guessed” wants a look. What else there is: shipmate.example.yaml.',
    channelLine(workspace),
    ...inEmpty(
      [...apps.apps.map(lineOf), ...beyond(apps.more, 'their images lie elsewhere; /ship apps lists them')],
      'apps',
    ),
    ...inEmpty(
      [...environments.map(lineOf), ...beyond(more, 'name those that are meant with --namespace')],
      'environments',
    ),
    ...peopleLines(workspace),
    ...policyLines(environments),
    '',
  ].join('\n');
}
