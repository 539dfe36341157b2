import type { Catalogue } from '../../src/core/operation.ts';
import { spoken } from './grammar.ts';
import { subjectsOf } from './help.ts';

export type SlashCommand = { command: string; description: string; usageHint: string };

/** Every slash command: `/ship`, and those operations that have one of their own. */
export function commandsOf(catalogue: Catalogue): SlashCommand[] {
  const operations = [...catalogue.values()];
  const own = operations.flatMap(({ command, summary, usage }) =>
    command && !command.includes(' ') ? [{ command, description: summary, usageHint: usage }] : [],
  );
  // `/canary promote` and its like share one command.
  const words = operations.flatMap(({ command }) => (command?.includes(' ') ? [command.split(' ')] : []));
  const grouped = [...Map.groupBy(words, ([first]) => first ?? '')].map(([command, verbs]) => ({
    command,
    description: `Say something to a ${command.slice(1)} under way`,
    usageHint: `${verbs.map(([, verb]) => verb).join(' | ')} <app> in <env>`,
  }));
  // Slack takes a hint of 1,000 letters; the whole list is in the help.
  const [first = [], ...others] = [...subjectsOf(catalogue).values()];
  const often = [...first, ...others.flatMap((operations) => operations.slice(0, 1))].map(({ name }) => spoken(name));
  const usageHint = [...often, 'help [SUBJECT | COMMAND]'].join(' | ');
  return [{ command: '/ship', description: 'Ship software, and ask how it does', usageHint }, ...own, ...grouped];
}

/** The scopes that the surface uses; none of them reads messages. */
const botScopes = [
  'app_mentions:read',
  'chat:write',
  'chat:write.public',
  'commands',
  'files:read',
  'files:write',
  'im:write',
  'usergroups:read',
  'users:read',
];

/**
 * The app manifest that installs Shipmate in a workspace.
 * https://docs.slack.dev/reference/app-manifest
 */
export function manifestOf(catalogue: Catalogue, options: { requestUrl: string }): Record<string, unknown> {
  const url = options.requestUrl;
  return {
    display_information: {
      name: 'Shipmate',
      description: 'Ships software from Slack: plans, approvals, rollouts',
      background_color: '#16324f',
    },
    features: {
      bot_user: { display_name: 'Shipmate', always_online: true },
      slash_commands: commandsOf(catalogue).map(({ command, description, usageHint }) => ({
        command,
        url,
        description,
        usage_hint: usageHint,
        should_escape: true,
      })),
    },
    oauth_config: { scopes: { bot: botScopes } },
    settings: {
      event_subscriptions: { request_url: url, bot_events: ['app_mention'] },
      interactivity: { is_enabled: true, request_url: url },
      org_deploy_enabled: false,
      socket_mode_enabled: false,
      token_rotation_enabled: false,
    },
  };
}
