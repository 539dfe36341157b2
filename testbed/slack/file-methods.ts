import { z } from 'zod';
import { asJson, no, words } from './answers.ts';
import { fileId, wireFile } from './shared-files.ts';
import type { Methods } from './web-api.ts';
import { botUser } from './workspace.ts';

const Completed = z.array(z.looseObject({ id: z.string(), title: z.string().optional() })).min(1);

/** Files in the two steps that Slack wants: ask for an address, put the bytes there, and say where it is shown. */
export const fileMethods: Methods = {
  'files.info': ({ space, base }, args) => {
    const file = space.files.get(words(args, 'file'));
    return file ? { ok: true, file: wireFile(space, base(), file) } : no('file_not_found');
  },
  'files.delete': ({ space }, args) => (space.files.delete(words(args, 'file')) ? { ok: true } : no('file_not_found')),
  'files.getUploadURLExternal': ({ space, base }, args) => {
    const name = words(args, 'filename');
    const size = Number(args.length);
    if (name === '' || !Number.isInteger(size) || size <= 0) return no('invalid_arguments');
    const id = fileId();
    space.files.set(id, { id, name, title: name, size });
    return { ok: true, upload_url: `${base()}/upload/${id}`, file_id: id };
  },
  'files.completeUploadExternal': ({ space }, args) => {
    const wanted = Completed.safeParse(asJson(args.files));
    if (!wanted.success) return no('invalid_arguments');
    const files = wanted.data.flatMap(({ id, title }) => {
      const file = space.files.get(id);
      return file?.content === undefined ? [] : [{ ...file, ...(title && { title }) }];
    });
    if (files.length < wanted.data.length) return no('file_not_found');
    for (const file of files) space.files.set(file.id, { ...file, complete: true });
    const channel = words(args, 'channel_id');
    if (channel !== '') {
      const isIm = space.users.some(({ id }) => `D${id.slice(1)}` === channel);
      if (!isIm && !space.channels.some(({ id }) => id === channel)) return no('channel_not_found');
      const thread = words(args, 'thread_ts') || undefined;
      const text = words(args, 'initial_comment');
      space.put({ ts: space.nextTs(), channel, user: botUser, text, blocks: [], thread, files });
    }
    return { ok: true, files: files.map(({ id, title, name, size }) => ({ id, title, name, size })) };
  },
};
