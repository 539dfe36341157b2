import { z } from 'zod';
import { type NamedText, splitDocuments } from '../../core/documents.ts';
import { Fault, fault } from '../../core/errors.ts';
import { Label } from '../../core/name-pattern.ts';
import type { PlanContext } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import { type Entry, most } from './read.ts';
import { readApart } from './read-apart.ts';

/** Where a manifest comes from: the request itself, or a path of a Git repository. */

export const manifestFields = {
  env: EnvRef,
  manifest: z
    .string()
    .max(most.bytes, 'is larger than 1 MiB')
    .optional()
    .describe('YAML or JSON, also several documents')
    .meta({ 'x-multiline': true, 'x-attached': 'documents' }),
  git: z
    .string()
    .max(500)
    .optional()
    .describe('Instead of a text: a Git repository, such as https://github.com/team/web.git'),
  ref: z.string().max(250).optional().describe('Its branch, tag or commit; main where it is left out'),
  path: z.string().max(500).optional().describe('A folder or file in it; all of it where it is left out'),
  prune: Label.optional().describe('The name of a set: what was applied under it and is no longer there is deleted'),
};
export const ManifestInput = z.strictObject(manifestFields);
export type ManifestInput = z.output<typeof ManifestInput>;

/** What a text says behind the escapes that quoted YAML and JSON may have. */
const unescaped = (text: string): string =>
  text
    .replace(/\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))/gi, (_, ...hex: (string | undefined)[]) =>
      String.fromCodePoint(Math.min(0x10ffff, Number.parseInt(hex.slice(0, 3).find((each) => each) ?? '0', 16))),
    )
    .replace(/\\\r?\n[ \t]*/g, '');

/**
 * Whether a text may hold a Secret, however it is written (`kind: !!str Secret`, an alias, escapes): it has the word as a whole
 * value, and values. Read before anything is stored, so it says yes rather too often. What comes from Git is looked at in the plan.
 */
export function holdsSecret({ manifest = '' }: ManifestInput): boolean {
  const text = unescaped(manifest);
  return /(?<![\w.-])Secret(?:List)?(?![\w.-])/.test(text) && /(?:^|[^\w])(?:data|stringData)(?!\w)/.test(text);
}

/** The file that an object comes from, where there are several. */
export type Sourced = Entry & { file?: string };
export type Source = { entries: Sourced[]; from: string };

type SourceContext = Pick<PlanContext<'git'>, 'on' | 'settings' | 'signal'>;

/** Reads files one by one, so that what is wrong is told by file and line. */
async function readFiles(files: readonly NamedText[], signal: AbortSignal): Promise<Sourced[]> {
  const entries: Sourced[] = [];
  for (const { name: file, text } of files) {
    const read = await readApart(text, signal).catch((thrown: unknown) => {
      throw thrown instanceof Fault ? fault('BAD_INPUT', { problem: `${file}: ${thrown.message}` }, thrown) : thrown;
    });
    entries.push(...read.map((entry) => ({ ...entry, file })));
  }
  if (entries.length > most.documents)
    throw fault('BAD_INPUT', { problem: `There are ${entries.length} objects; ${most.documents} is the most.` });
  return entries;
}

async function fromGit(context: SourceContext, input: ManifestInput & { git: string }): Promise<Source> {
  const { git: url, ref = 'main', path = '' } = input;
  const { gitHosts: hosts } = context.settings.manifests;
  const accept = (name: string) => /\.(ya?ml|json)$/i.test(name);
  const found = await context.on.git.read(
    { url, ref, path },
    { hosts, accept, limitBytes: most.bytes },
    context.signal,
  );
  const files = found.files.map(({ path: name, text }) => ({ name, text }));
  const entries = await readFiles(files, context.signal);
  return { entries, from: `${url} at ${found.commit.slice(0, 12)}` };
}

/** Reads the manifest of a request. @throws Fault BAD_INPUT with line and column, GIT_FAILED */
export async function readSource(context: SourceContext, input: ManifestInput): Promise<Source> {
  const { manifest, git } = input;
  if (manifest !== undefined && git !== undefined)
    throw fault('BAD_INPUT', { problem: 'Give either the manifest itself or git=…, not both.' });
  if (git !== undefined) return await fromGit(context, { ...input, git });
  if (manifest === undefined || manifest.trim() === '')
    throw fault('BAD_INPUT', {
      problem:
        'Which manifest? Send its text (over REST, in the form of /ship apply, or as a file attached to a mention), or git=… path=….',
    });
  const files = splitDocuments(manifest);
  const entries = files ? await readFiles(files, context.signal) : await readApart(manifest, context.signal);
  return { entries, from: 'the request' };
}

/** Where an object stands, for people: `web.yaml line 3, Deployment/web`. */
export function whereOf({ object, line, file }: Sourced): string {
  const metadata = object.metadata;
  const name = typeof metadata === 'object' && metadata !== null && 'name' in metadata ? String(metadata.name) : '';
  return `${file === undefined ? '' : `${file} `}line ${line}, ${String(object.kind)}/${name}`;
}
