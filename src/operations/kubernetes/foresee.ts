import { answered, answerOf } from '../../core/answer.ts';
import { type Difference, differences } from '../../core/diff.ts';
import { at, type JsonObject } from '../../core/json.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import type { ListTypes } from '../../core/list-types.ts';

/** What a write comes to: the object before it and after it, all that differs, and the hash of the whole answer. */
export type Foreseen<Answer = unknown> = Answer & {
  before?: JsonObject;
  after: JsonObject;
  changes: Difference[];
  answer: string;
  lists: ListTypes;
};

/** Somebody else may write between the look and the dry run: so often it is looked again. */
const tries = 3;

const versionOf = (object: JsonObject | undefined) => at(object, 'metadata', 'resourceVersion');

/** What is asked for comes first, then what the cluster fills in. */
function inOrder(changes: readonly Difference[], wanted: JsonObject, lists: ListTypes): Difference[] {
  const asked = new Set(differences(undefined, wanted, lists).map(({ path }) => path));
  return [...changes.filter(({ path }) => asked.has(path)), ...changes.filter(({ path }) => !asked.has(path))];
}

/**
 * Finds out by a dry run what a write comes to. The object as it was and the answer are of one and the same version, so that
 * what differs is what the write does. `wanted` is what is sent: a manifest or a patch; `seen` is the object where it was
 * read a moment ago.
 */
export async function foresee<Answer extends { after: JsonObject }>(
  kube: Kube,
  { ref, wanted, seen }: { ref: ObjectRef; wanted: JsonObject; seen?: JsonObject },
  dryRun: (before: JsonObject | undefined) => Promise<Answer>,
  signal: AbortSignal,
): Promise<Foreseen<Answer>> {
  let before = seen ?? (await kube.read(ref, signal));
  const asked = kube.listTypes(ref, signal);
  for (let left = tries; ; left--) {
    const [answer, lists] = await Promise.all([dryRun(before), asked]);
    const { after } = answer;
    if (left > 1 && before && versionOf(before) !== versionOf(after)) {
      before = await kube.read(ref, signal);
      continue;
    }
    const tried = { before, wanted, after };
    const changes = differences(before, answered(tried), lists);
    return {
      ...answer,
      ...(before && { before }),
      changes: before ? changes : inOrder(changes, wanted, lists),
      answer: answerOf(tried),
      lists,
    };
  }
}
