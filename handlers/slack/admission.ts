import type { AnyMiddlewareArgs, Context, Middleware } from '@slack/bolt';
import { type Claims, claimsOf } from './claims.ts';
import type { Deps } from './deps.ts';
import { faultView } from './fault-view.ts';
import type { Member } from './members.ts';

type Args = Parameters<Middleware<AnyMiddlewareArgs>>[0];
type View = ReturnType<typeof faultView>;

/** Stands before every listener: what is not from a full member of our workspace reaches none. */
export type Admission = {
  middleware: Middleware<AnyMiddlewareArgs>;
  /** Who was let in with a request. @throws Error where nobody was */
  memberOf(context: Context): Member;
};

/** A form stays open with the reason under its first field; what can't show one is acknowledged alone. */
async function acknowledge(args: Args, view?: View): Promise<'told' | 'untold'> {
  if ('command' in args && args.command) {
    await args.ack(view && { response_type: 'ephemeral', text: view.text, blocks: view.blocks });
    return 'told';
  }
  const field = 'view' in args && args.view ? Object.keys(args.view.state?.values ?? {})[0] : undefined;
  if ('view' in args && args.view && view && field !== undefined && args.body.type === 'view_submission') {
    await args.ack({ response_action: 'errors', errors: { [field]: view.words } });
    return 'told';
  }
  if ('options' in args && args.options) await args.ack({ options: [] });
  else if ('ack' in args && args.ack) await args.ack();
  return 'untold';
}

async function refuse(args: Args, claims: Claims, view: View): Promise<void> {
  const { user, channel } = claims;
  if ((await acknowledge(args, view)) === 'told' || channel === undefined) return;
  await args.client.chat.postEphemeral({ channel, user, text: view.text, blocks: view.blocks });
}

/** Makes the one door that all requests from Slack come through. */
export function createAdmission({ members, engine, log }: Deps): Admission {
  const admitted = new WeakMap<Context, Member>();
  return {
    middleware: async (args) => {
      const claims = claimsOf(args.body);
      if (!claims) return void (await acknowledge(args));
      try {
        admitted.set(args.context, await members.admit(claims));
      } catch (thrown) {
        log.warn({ user: claims.user, teams: claims.teams, problem: thrown }, 'a request from Slack was refused');
        return await refuse(args, claims, faultView(thrown, engine.redact)).catch((problem: unknown) =>
          log.warn({ user: claims.user, problem }, 'who was refused could not be told'),
        );
      }
      await args.next();
    },
    memberOf: (context) => {
      const member = admitted.get(context);
      if (!member) throw new Error('a request from Slack passed no admission');
      return member;
    },
  };
}
