import { Fault } from '../../../core/errors.ts';
import { at, isObject, type JsonObject } from '../../../core/json.ts';
import { labelsOf, selects } from '../../../core/label-selector.ts';
import type { StepContext } from '../../../core/operation.ts';
import { besideIn, type Kit } from './kit.ts';

/** A pod's own time to end is seldom longer; what is still there then is stuck, on a node that is away, say. */
const mostMs = 10 * 60_000;

/** What the pods beside stable are found by, as the plan has it: the canary's, and those of an experiment's baseline. */
const selectorsIn = (beside: readonly JsonObject[]): JsonObject[] =>
  beside
    .filter(({ kind }) => kind === 'Deployment')
    .map((made) => at(made, 'spec', 'selector'))
    .filter(isObject);

/** Waits until the last pod beside stable has ended, and whatever would make another. False where some do not end. */
export async function podsGone({ run, kube, canary }: Kit, step: StepContext): Promise<boolean> {
  const selectors = selectorsIn(besideIn(run.plan));
  const began = run.now();
  const isOne = ({ metadata }: JsonObject) =>
    selectors.some((selector) => selects(selector, labelsOf(at(metadata, 'labels'))));
  const left = async () => {
    const kinds = ['ReplicaSet', 'Pod'] as const;
    const sights = await Promise.all(kinds.map((kind) => kube.look(kind, canary.namespace, step.signal)));
    // A picture of before the deletion tells nothing of after it.
    const old = sights.some(({ asOf }) => asOf < began);
    return old ? undefined : sights.flatMap(({ objects }) => objects.filter(isOne)).length;
  };
  for (;;) {
    const count = await left().catch((thrown: unknown) => {
      step.signal.throwIfAborted();
      if (thrown instanceof Fault) return undefined;
      throw thrown;
    });
    if (count === 0) return true;
    if (run.now() - step.startedAt > mostMs) return false;
    step.note(`waits until the last pods of ${canary.name} have ended: what guards them goes after them`);
    await step.rest(500, Number.POSITIVE_INFINITY);
  }
}
