import { randomBytes } from 'node:crypto';
import type { View } from '@slack/types';
import { z } from 'zod';
import { type Answer, type Args, asJson, no, type Refusal, words } from './answers.ts';
import { checkBlocks } from './check-blocks.ts';
import { named } from './message-content.ts';
import type { Methods } from './web-api.ts';
import { appId, botId, type OpenView, type Workspace } from './workspace.ts';

const title = z.looseObject({ type: z.literal('plain_text'), text: z.string().min(1).max(24) });
const Form = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('modal'),
    title,
    submit: title.optional(),
    close: title.optional(),
    callback_id: z.string().max(255).optional(),
    private_metadata: z.string().max(3_000).optional(),
    blocks: z.array(z.unknown()),
  }),
  z.looseObject({ type: z.literal('home'), blocks: z.array(z.unknown()) }),
]);

/** The view that an app hands over, as blocks that have been checked. */
export function viewOf(given: unknown): { view: View } | { refused: Refusal } {
  const form = Form.safeParse(asJson(given));
  if (!form.success) {
    const messages = form.error.issues.map(
      ({ path, message }) => `[ERROR] ${message} [json-pointer:/view/${path.join('/')}]`,
    );
    return { refused: no('invalid_arguments', messages) };
  }
  const needsSubmit =
    form.data.type === 'modal' &&
    form.data.submit === undefined &&
    JSON.stringify(form.data.blocks).includes('"input"');
  const problems = [
    ...checkBlocks(form.data.type, form.data.blocks),
    ...(needsSubmit ? ['[ERROR] missing required field: submit [json-pointer:/view]'] : []),
  ];
  if (problems.length > 0) return { refused: no('invalid_arguments', problems) };
  // Form and checkBlocks have seen that it is a view.
  const view = asJson(given) as View;
  return { view: { ...view, blocks: named(view.blocks) } };
}

const wireView = ({ view, id, hash, externalId }: OpenView, { teamId }: Workspace) => ({
  ...view,
  id,
  hash,
  team_id: teamId,
  app_id: appId,
  app_installed_team_id: teamId,
  bot_id: botId,
  external_id: externalId ?? '',
  state: { values: {} },
});

function shown(space: Workspace, open: OpenView): Answer {
  space.showView(open);
  return { ok: true, view: wireView(open, space) };
}

const externalOf = (view: View) => ('external_id' in view ? view.external_id : undefined);
const newId = () => `V${randomBytes(5).toString('hex').toUpperCase()}`;

function update(space: Workspace, args: Args): Answer {
  const wanted = words(args, 'view_id');
  const external = words(args, 'external_id');
  const known = [...space.views.values()].find(({ id, externalId }) => id === wanted || externalId === external);
  if (!known) return no('not_found');
  const hash = words(args, 'hash');
  if (hash !== '' && hash !== known.hash) return no('hash_conflict');
  const read = viewOf(args.view);
  if ('refused' in read) return read.refused;
  return shown(space, { ...known, view: read.view, hash: space.nextTs() });
}

export const viewMethods: Methods = {
  'views.open': ({ space, triggers }, args) => {
    const read = viewOf(args.view);
    if ('refused' in read) return read.refused;
    const trigger = triggers.use(words(args, 'trigger_id'));
    if (typeof trigger === 'string') return no(trigger);
    const externalId = externalOf(read.view);
    return shown(space, {
      id: newId(),
      user: trigger.user,
      hash: space.nextTs(),
      view: read.view,
      ...(externalId && { externalId }),
    });
  },
  'views.update': ({ space }, args) => update(space, args),
  'views.publish': ({ space }, args) => {
    const user = words(args, 'user_id');
    const read = viewOf(args.view);
    if ('refused' in read) return read.refused;
    const home: OpenView = { id: newId(), user, hash: space.nextTs(), view: read.view };
    space.publishHome(home);
    return { ok: true, view: wireView(home, space) };
  },
};
