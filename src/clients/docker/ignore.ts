import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import dockerignore from '@balena/dockerignore';

export type Ignore = {
  ignores(path: string): boolean;
  /** Whether an ignored folder may still hold something that an exception brings back. */
  mayHold(folder: string): boolean;
};

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

const hasWildcard = (segment: string) => /[*?[\\]/.test(segment);

/** `!src/**` can bring back something in `src`, and nothing in `node_modules`. */
function reaches(exception: string, folder: string): boolean {
  const [wanted, own] = [exception.split('/'), folder.split('/')];
  for (let n = 0; n < Math.min(wanted.length, own.length); n++) {
    const segment = wanted[n] ?? '';
    if (segment === '**') return true;
    if (!hasWildcard(segment) && segment !== own[n]) return false;
  }
  return true;
}

/** The rules of a context, from `DOCKERFILE.dockerignore` or else `.dockerignore`. */
export function ignoreOf(root: string, dockerfile: string): Ignore {
  const text = textOf(join(root, `${dockerfile}.dockerignore`)) ?? textOf(join(root, '.dockerignore')) ?? '';
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const exceptions = lines
    .map((line) => line.trim())
    .filter((line) => line.startsWith('!'))
    .map((line) =>
      line
        .slice(1)
        .trim()
        .replace(/^\/+|\/+$/g, ''),
    );
  if (lines.every((line) => line.trim() === '' || line.startsWith('#')))
    return { ignores: () => false, mayHold: () => true };
  const rules = dockerignore.default({ ignorecase: false }).add(text.replace(/^\ufeff/, ''));
  return {
    ignores: (path) => rules.ignores(path),
    mayHold: (folder) => exceptions.some((exception) => reaches(exception, folder)),
  };
}
