import { type Answer, type Args, no } from './answers.ts';
import { chatMethods } from './chat-methods.ts';
import { fileMethods } from './file-methods.ts';
import { peopleMethods } from './people-methods.ts';
import type { Triggers } from './triggers.ts';
import { viewMethods } from './view-methods.ts';
import { botId, botUser, type Workspace } from './workspace.ts';

/** What a method of the Web API works on; `base` is where the fake's server is. */
export type Slack = { space: Workspace; triggers: Triggers; base(): string };
export type Methods = Record<string, (slack: Slack, args: Args) => Answer>;

const methods: Methods = {
  'auth.test': ({ space }) => ({
    ok: true,
    url: `https://${space.domain}.slack.com/`,
    team: space.domain,
    team_id: space.teamId,
    user: 'shipmate',
    user_id: botUser,
    bot_id: botId,
    ...(space.enterprise && { enterprise_id: space.enterprise.id }),
    is_enterprise_install: false,
  }),
  'api.test': () => ({ ok: true }),
  ...chatMethods,
  ...viewMethods,
  ...peopleMethods,
  ...fileMethods,
};

/** Does one call of the Web API. */
export function callMethod(slack: Slack, method: string, args: Args): Answer {
  return methods[method]?.(slack, args) ?? no('unknown_method');
}
