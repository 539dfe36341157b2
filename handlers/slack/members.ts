import type { WebClient } from '@slack/web-api';
import { fault } from '../../src/core/errors.ts';
import type { Clock } from '../../src/core/ports.ts';

const keepMs = 5 * 60_000;
/** Slack wants an answer to a command within 3 s; so who asks must be known before. */
const patienceMs = 2_000;

export type Members = {
  /**
   * Lets full members of the team pass.
   * @throws Fault NOT_A_MEMBER for guests, bots, strangers and former members; IDENTITY_UNKNOWN where Slack doesn't say
   */
  check(user: string, team: string): Promise<void>;
};

type SlackUser = {
  team_id?: string;
  deleted?: boolean;
  is_bot?: boolean;
  is_restricted?: boolean;
  is_ultra_restricted?: boolean;
  is_stranger?: boolean;
};

function strangeness(user: SlackUser, team: string): string | undefined {
  if (user.deleted) return 'a former member';
  if (user.is_bot) return 'a bot';
  if (user.is_restricted || user.is_ultra_restricted) return 'a guest';
  if (user.is_stranger || user.team_id !== team) return 'from another workspace';
  return undefined;
}

/** Who is a full member, as Slack says; remembered for five minutes. In doubt the answer is no. */
export function createMembers(client: WebClient, now: Clock): Members {
  const known = new Map<string, { until: number; kind: string | undefined }>();
  const look = async (user: string, team: string) => {
    const late = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error('users.info took too long')), patienceMs).unref();
    });
    const answer = await Promise.race([client.users.info({ user }), late]).catch((thrown: unknown) => {
      throw fault('IDENTITY_UNKNOWN', {}, thrown);
    });
    return strangeness(answer.user ?? {}, team);
  };
  return {
    check: async (user, team) => {
      const key = `${team}/${user}`;
      let entry = known.get(key);
      if (!entry || entry.until < now()) {
        entry = { until: now() + keepMs, kind: await look(user, team) };
        known.set(key, entry);
      }
      if (entry.kind !== undefined) throw fault('NOT_A_MEMBER', { kind: entry.kind });
    },
  };
}
