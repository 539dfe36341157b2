import { fault } from '../../src/core/errors.ts';
import type { Log, Membership } from '../../src/core/ports.ts';
import type { Settings } from '../../src/core/settings.ts';

/** Whether people of Slack may ask or approve: anything in the settings is about it. */
function namesSlack({ people, roles, channel, apps }: Settings): boolean {
  const ofSlack = (member: string) => member.startsWith('slack:') || member.startsWith('group:');
  return (
    channel !== undefined ||
    Object.values(people).some(({ slack }) => slack !== undefined) ||
    Object.values(roles).flat().some(ofSlack) ||
    Object.values(apps).some((app) => app.channel !== undefined)
  );
}

/**
 * Where there is no Slack to ask, nobody of it is known to be a member. A process that works on runs warns of it at the start where
 * the settings name anything of Slack: such runs wait in it until they lapse.
 */
export function withoutSlack(
  { settings, works }: { settings: Settings; works: boolean },
  log: Pick<Log, 'warn'>,
): Membership {
  const problem =
    'SLACK_BOT_TOKEN is not set here: what people in Slack ask for or approve waits, since nobody can say who they are.';
  const mend = 'Set SLACK_BOT_TOKEN for every worker, to the same as the bot has';
  if (works && namesSlack(settings)) log.warn({ problem, mend }, 'THIS WORKER CANNOT ASK SLACK WHO PEOPLE ARE');
  return async ({ kind }) => {
    if (kind === 'slack') throw fault('IDENTITY_UNKNOWN', {});
    return { kind: 'member' };
  };
}
