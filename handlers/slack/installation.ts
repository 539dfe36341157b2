import type { WebClient } from '@slack/web-api';
import { z } from 'zod';
import { fault } from '../../src/core/errors.ts';
import type { Clock } from '../../src/core/ports.ts';

/** A workspace may join an organization, and is told of that here. */
const keepMs = 5 * 60_000;

const OwnTeam = z.string().min(1).brand<'OwnTeam'>();
/**
 * The workspace that Shipmate is installed in. Only Slack's word on Shipmate's own token makes one, so that what a request
 * says of itself can't stand in its place.
 */
export type OwnTeam = z.output<typeof OwnTeam>;

const Installed = z.looseObject({
  team_id: OwnTeam,
  enterprise_id: z.string().nullish(),
  is_enterprise_install: z.boolean().nullish(),
  user_id: z.string().optional(),
  bot_id: z.string().optional(),
});

/** Where Shipmate is installed, and who it is there. */
export type Installation = {
  team: OwnTeam;
  /** The organization on Enterprise Grid. */
  enterprise?: string;
  /** Installed in all workspaces of the organization at once. */
  orgWide: boolean;
  bot: { botUserId?: string; botId?: string };
};

/** @throws Fault IDENTITY_UNKNOWN where Slack does not say, nor said so lately */
export type LookUpInstallation = () => Promise<Installation>;

/** Asks Slack for it when it is first needed, so that Slack away does not keep the bot from starting. */
export function createInstallation(client: WebClient, now: Clock): LookUpInstallation {
  let known: { until: number; found: Promise<Installation> } | undefined;
  const ask = async (): Promise<Installation> => {
    const { team_id, enterprise_id, is_enterprise_install, user_id, bot_id } = Installed.parse(
      await client.auth.test(),
    );
    const bot = { ...(user_id && { botUserId: user_id }), ...(bot_id && { botId: bot_id }) };
    return {
      team: team_id,
      ...(enterprise_id && { enterprise: enterprise_id }),
      orgWide: is_enterprise_install === true,
      bot,
    };
  };
  return async () => {
    if (!known || known.until < now()) known = { until: now() + keepMs, found: ask() };
    const asked = known;
    return await asked.found.catch((thrown: unknown) => {
      if (known === asked) known = undefined;
      throw fault('IDENTITY_UNKNOWN', {}, thrown);
    });
  };
}
