import type { WebClient } from '@slack/web-api';
import { z } from 'zod';
import type { NamedText } from '../../src/core/documents.ts';
import { Fault, fault } from '../../src/core/errors.ts';
import { cut } from './blocks/elements.ts';
import { SlackError } from './send.ts';

/** All files of a message together: no operation takes more, and a message may bear ten. */
const mostBytes = 1_048_576;
const mostRedirects = 3;

const scope = 'Somebody who administers Shipmate has to install the app in Slack again, with the scope files:read.';
const later = 'Ask again in a minute.';
const another = 'Attach another one and ask again.';

/** A file as events and files.info tell of it. In shared channels an event has no more than the id. */
const SlackFile = z.looseObject({
  id: z.string(),
  name: z.string().nullish(),
  mimetype: z.string().nullish(),
  size: z.number().nullish(),
  url_private: z.string().nullish(),
  url_private_download: z.string().nullish(),
});
type SlackFile = z.output<typeof SlackFile>;

/** Reads the files of a message, in their order. @throws Fault ATTACHED_FILE */
export type ReadAttached = (files: readonly unknown[], signal: AbortSignal) => Promise<NamedText[]>;
type AttachedOptions = { client: WebClient; token: string; apiUrl?: string | undefined };

const nameOf = ({ id, name }: SlackFile) => cut(name || id, 100);
const bad = (file: SlackFile, problem: string, hint: string): Fault =>
  fault('ATTACHED_FILE', { name: nameOf(file), problem, hint });
const tooLarge = (file: SlackFile) => bad(file, 'is too large: all files together may have 1 MiB', another);
const refused = (file: SlackFile) => bad(file, 'was not given out by Slack', scope);

/** The only place that the token is sent to with a file: files.slack.com, or where a stand-in for Slack's API is. */
function filesOrigin(apiUrl = 'https://slack.com/api/'): string {
  const { protocol, host, origin } = new URL(apiUrl);
  return protocol === 'https:' ? `https://files.${host.replace(/^www\./, '')}` : origin;
}

/** What Slack's error of files.info means for the person. */
function infoProblem(file: SlackFile, thrown: unknown): Fault {
  const error = SlackError.safeParse(thrown).data?.data?.error;
  if (error === 'missing_scope') return refused(file);
  if (error === undefined) return bad(file, 'could not be looked up: Slack did not answer', later);
  return bad(file, `is not given out by Slack (${error})`, 'Attach it here anew, as a file of this workspace.');
}

/** In channels shared with another workspace, the address of a file has to be asked for. */
async function looked({ client }: AttachedOptions, file: SlackFile): Promise<SlackFile> {
  if (file.url_private_download || file.url_private) return file;
  const answer = await client.files.info({ file: file.id }).catch((thrown: unknown) => {
    throw infoProblem(file, thrown);
  });
  const found = SlackFile.safeParse(answer.file);
  return found.success ? found.data : file;
}

function addressOf(file: SlackFile, origin: string): URL {
  const url = URL.parse(file.url_private_download || file.url_private || '');
  if (!url) throw bad(file, 'is not given out by Slack, which tells no address', another);
  if (url.origin !== origin)
    throw bad(file, 'is not kept by Slack itself, and is read from nowhere else', 'Upload it to Slack and ask again.');
  return url;
}

/** Where files are, and the token that opens them. */
type Door = { origin: string; token: string };

/** Asks for the file, and follows Slack within its own host: a redirect away is to its login page. */
async function open(file: SlackFile, { origin, token }: Door, signal: AbortSignal): Promise<Response> {
  let url: URL = addressOf(file, origin);
  for (let hop = 0; hop <= mostRedirects; hop++) {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(url.href, { headers, redirect: 'manual', signal });
    if (response.status < 300 || response.status >= 400) return response;
    await response.body?.cancel();
    const next = URL.parse(response.headers.get('location') ?? '', url.href);
    if (next?.origin !== origin) throw refused(file);
    url = next;
  }
  throw refused(file);
}

/** Without the scope Slack answers 200 and a page for people to sign in. */
const isLoginPage = (file: SlackFile, response: Response, bytes: number): boolean =>
  (response.headers.get('content-type') ?? '').startsWith('text/html') &&
  (file.mimetype !== 'text/html' || (typeof file.size === 'number' && file.size !== bytes));

/** Reads a body up to so many bytes; undefined where there are more. */
async function bounded(response: Response, limit: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function bytesOf(file: SlackFile, door: Door, limit: number, signal: AbortSignal): Promise<Buffer> {
  const response = await open(file, door, signal);
  if (!response.ok) {
    await response.body?.cancel();
    if (response.status === 401 || response.status === 403) throw refused(file);
    const gone = response.status === 404 || response.status === 410;
    throw gone
      ? bad(file, 'is no longer there', another)
      : bad(file, `could not be fetched: Slack answered ${response.status}`, later);
  }
  const bytes = await bounded(response, limit);
  if (!bytes) throw tooLarge(file);
  if (isLoginPage(file, response, bytes.byteLength)) throw refused(file);
  return bytes;
}

/** The fault that a person is told; what fetch itself says of an address stays out of it, and out of the log. */
function problemOf(file: SlackFile, thrown: unknown): Fault {
  const name = thrown instanceof Error ? thrown.name : '';
  const slow = name === 'TimeoutError' || name === 'AbortError';
  return bad(file, `could not be fetched: Slack ${slow ? 'took too long' : 'was not to be reached'}`, later);
}

function textOf(file: SlackFile, bytes: Uint8Array): string {
  const text = bytes.includes(0) ? undefined : decoded(bytes);
  if (text === undefined) throw bad(file, 'is not text in UTF-8', 'Only text is read. Attach it as a text file.');
  return text;
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Fetches attached files with the bot's token: only from Slack, only text, at most 1 MiB. */
export function createAttached(options: AttachedOptions): ReadAttached {
  const door = { origin: filesOrigin(options.apiUrl), token: options.token };
  return async (files, signal) => {
    const read: NamedText[] = [];
    let left = mostBytes;
    for (const each of z.array(SlackFile).parse(files)) {
      const file = await looked(options, each);
      if ((file.size ?? 0) > left) throw tooLarge(file);
      const bytes = await bytesOf(file, door, left, signal).catch((thrown: unknown) => {
        throw thrown instanceof Fault ? thrown : problemOf(file, thrown);
      });
      left -= bytes.byteLength;
      read.push({ name: file.name || file.id, text: textOf(file, bytes) });
    }
    return read;
  };
}
