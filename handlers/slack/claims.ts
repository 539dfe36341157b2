import { z } from 'zod';

/**
 * What a request from Slack says of where it comes from. Slack signs it, and yet no single field tells an outsider:
 * https://docs.slack.dev/apis/slack-connect. So a claim may speak against somebody, and never for them.
 */
export type Claims = {
  user: string;
  /** Whose installation of the app Slack sent it to; on an installation for a whole organization there is no team. */
  installation: { team?: string; enterprise?: string };
  /** The workspaces that it names for the person. */
  teams: string[];
  channel?: string;
};

const Id = z.string().min(1).nullish();
const WithId = z.looseObject({ id: Id }).nullish();

const Command = z.looseObject({
  command: z.string(),
  user_id: z.string().min(1),
  team_id: Id,
  enterprise_id: Id,
  channel_id: Id,
});

/** Clicks, forms, menus and shortcuts. */
const Interaction = z.looseObject({
  type: z.enum(['block_actions', 'block_suggestion', 'view_submission', 'view_closed', 'shortcut', 'message_action']),
  user: z.looseObject({ id: z.string().min(1), team_id: Id }),
  team: WithId,
  enterprise: WithId,
  channel: WithId,
  view: z.looseObject({ app_installed_team_id: Id }).nullish(),
});

const Event = z.looseObject({
  type: z.literal('event_callback'),
  team_id: Id,
  context_team_id: Id,
  authorizations: z.array(z.looseObject({ team_id: Id, enterprise_id: Id })).optional(),
  event: z.looseObject({ user: z.string().min(1), channel: Id, team: Id, user_team: Id, source_team: Id }),
});

type Maybe = string | null | undefined;
const said = (...ids: Maybe[]): string[] => ids.filter((id) => typeof id === 'string');

function claims(user: string, [team, enterprise]: [Maybe, Maybe], teams: string[], channel: Maybe): Claims {
  const installation = { ...(team && { team }), ...(enterprise && { enterprise }) };
  return { user, installation, teams, ...(channel && { channel }) };
}

function ofCommand(body: z.output<typeof Command>): Claims {
  const { user_id, team_id, enterprise_id, channel_id } = body;
  return claims(user_id, [team_id, enterprise_id], said(team_id), channel_id);
}

/** `team` is the installation's in clicks and the sender's in forms, where the installation stands in the view. */
function ofInteraction({ user, team, enterprise, channel, view }: z.output<typeof Interaction>): Claims {
  const installed = view?.app_installed_team_id ?? team?.id;
  return claims(user.id, [installed, enterprise?.id], said(user.team_id, team?.id), channel?.id);
}

/** The outer `team_id` may be the author's: what counts is for whom Slack authorized the delivery. */
function ofEvent({ authorizations, context_team_id, team_id, event }: z.output<typeof Event>): Claims {
  const [authorized] = authorizations ?? [{ team_id: context_team_id ?? team_id, enterprise_id: undefined }];
  const teams = said(event.team, event.user_team, event.source_team);
  return claims(event.user, [authorized?.team_id, authorized?.enterprise_id], teams, event.channel);
}

/** What a request says of its sender; undefined where it has none, or is of a kind that is not known here. */
export function claimsOf(body: unknown): Claims | undefined {
  const command = Command.safeParse(body).data;
  if (command) return ofCommand(command);
  const interaction = Interaction.safeParse(body).data;
  if (interaction) return ofInteraction(interaction);
  const event = Event.safeParse(body).data;
  return event && ofEvent(event);
}
