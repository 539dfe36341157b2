import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KnownBlock } from '@slack/types';
import type { Faults } from './faults.ts';
import type { SharedFile, Workspace } from './workspace.ts';

/** Files that people attach to what they say: https://docs.slack.dev/reference/objects/file-object */

export type NewFile = {
  name: string;
  content: string | Uint8Array;
  mimetype?: string;
  /** What Slack says of its size, where it is not the true one. */
  size?: number;
  /** Kept by somebody else, as files of Google Drive are. */
  url?: string;
  /** Where Slack sends those who fetch it. */
  redirect?: string;
  /** From another workspace: events have no more than its id. */
  shared?: true;
};

const isPng = (bytes: Buffer) => bytes.subarray(0, 4).toString('latin1') === '\x89PNG';
/** Slack looks at the bytes to know what a file is. */
const typeOf = (bytes: Buffer) => (isPng(bytes) ? 'image/png' : 'text/plain');

export const fileId = () => `F${randomBytes(5).toString('hex').toUpperCase()}`;

export function attach(space: Workspace, given: NewFile): SharedFile {
  const { name, content, shared, url, redirect } = given;
  const bytes = Buffer.from(content);
  const mimetype = given.mimetype ?? typeOf(bytes);
  const file: SharedFile = {
    id: fileId(),
    name,
    title: name,
    size: given.size ?? bytes.byteLength,
    content: bytes.toString(),
    complete: true,
    attached: { bytes, mimetype, ...(shared && { shared }), ...(url && { url }), ...(redirect && { redirect }) },
  };
  space.files.set(file.id, file);
  return file;
}

/** A file whose bytes have come. */
export function uploaded(file: SharedFile, bytes: Buffer): SharedFile {
  return { ...file, content: isPng(bytes) ? '' : bytes.toString(), attached: { bytes, mimetype: typeOf(bytes) } };
}

/** What Slack objects to in blocks that show files of the workspace: files that are no pictures, not there, or not yet. */
export function badPictures(space: Workspace, blocks: readonly KnownBlock[]): string[] {
  return blocks.flatMap((block, index) => {
    const id =
      block.type === 'image' && 'slack_file' in block && 'id' in block.slack_file ? block.slack_file.id : undefined;
    const { attached, complete } = space.files.get(id ?? '') ?? {};
    const fits = id === undefined || (complete && attached?.mimetype.startsWith('image/'));
    return fits ? [] : [`[ERROR] invalid slack file [json-pointer:/blocks/${index}/slack_file]`];
  });
}

/** A file as the Web API tells of it. */
export function wireFile(space: Workspace, base: string, { id, name, title, size, attached }: SharedFile) {
  const path = encodeURIComponent(name);
  const address = (way: string) => attached?.url ?? `${base}/files-pri/${space.teamId}-${id}${way}/${path}`;
  return {
    id,
    name,
    title,
    size,
    mimetype: attached?.mimetype ?? 'text/plain',
    mode: 'hosted',
    is_external: attached?.url !== undefined,
    file_access: 'visible',
    url_private: address(''),
    url_private_download: address('/download'),
  };
}

/** A file as an event tells of it: in channels with outsiders, whoever attached it, no more than its id. */
export function eventFile(space: Workspace, base: string, file: SharedFile, external = false) {
  if (!file.attached?.shared && !external) return wireFile(space, base, file);
  return { id: file.id, created: 0, timestamp: 0, user: '', mode: 'file_access', file_access: 'check_file_info' };
}

const signIn = '<!DOCTYPE html><html lang="en-US"><head><title>Sign in | Slack</title></head><body></body></html>';

/**
 * Gives a file out to whoever brings the bot's token, and a page to sign in to everybody else, as Slack does. The fault
 * `files-pri` with the error `missing_scope` makes it do that to the bot too.
 */
export async function serveFile(
  { space, faults, botToken }: { space: Workspace; faults: Faults; botToken: string },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, id = ''] = /^\/files-pri\/\w+-(\w+)\//.exec(request.url ?? '') ?? [];
  const file = space.files.get(id);
  const fault = faults.take('files-pri');
  if (fault?.hangMs) await sleep(fault.hangMs);
  const allowed = request.headers.authorization === `Bearer ${botToken}` && fault?.error !== 'missing_scope';
  if (fault?.status) response.writeHead(fault.status).end();
  else if (!allowed) response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(signIn);
  else if (!file?.attached) response.writeHead(404).end();
  else if (file.attached.redirect) response.writeHead(302, { location: file.attached.redirect }).end();
  else response.writeHead(200, { 'content-type': file.attached.mimetype }).end(file.attached.bytes);
}
