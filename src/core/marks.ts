import { at, type JsonObject, text } from './json.ts';
import { oneLine } from './one-line.ts';

/** What a workload says of itself in annotations: which app it is, whose, where it is talked about, and where its source lies. */
export const marks = {
  app: 'shipmate.dev/app',
  owner: 'shipmate.dev/owner',
  channel: 'shipmate.dev/channel',
  repository: 'shipmate.dev/repository',
} as const;

/** What an object says under a mark; empty where it says nothing. */
export const markOf = (object: JsonObject | undefined, mark: keyof typeof marks): string =>
  text(at(object, 'metadata', 'annotations', marks[mark]));

/** What a workload says of itself, what would have to be so instead, and where it says it. */
export type Contradiction = { says: string; not: string; mark: string };

/**
 * How a workload's own annotations contradict that it is the app that a pattern would make of it, if they do. Of a pattern without an
 * owner it is nobody's, and so not that of whom it names.
 */
export function contradiction(
  object: JsonObject | undefined,
  app: string,
  owner: string | undefined,
): Contradiction | undefined {
  const [itsApp, itsOwner] = [markOf(object, 'app'), markOf(object, 'owner')];
  if (itsApp !== '' && itsApp !== app)
    return { says: `the app “${oneLine(itsApp)}”`, not: `“${app}”`, mark: marks.app };
  if (itsOwner !== '' && itsOwner !== owner)
    return {
      says: `“${oneLine(itsOwner)}”’s`,
      not: owner === undefined ? 'nobody’s' : `“${owner}”’s`,
      mark: marks.owner,
    };
  return undefined;
}
