import { at, isObject, type Json, type JsonObject } from '../../core/json.ts';

const listOf = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

/** `step 2 of 5 (setWeight 20)` of an Argo Rollout's canary; undefined for what has no steps. */
export function stepOf(rollout: JsonObject): string | undefined {
  const steps = listOf(at(rollout, 'spec', 'strategy', 'canary', 'steps'));
  const index = at(rollout, 'status', 'currentStepIndex');
  if (steps.length === 0 || typeof index !== 'number' || index >= steps.length) return undefined;
  const weight = steps.slice(0, index + 1).findLast((step) => step.setWeight !== undefined)?.setWeight;
  return `step ${index + 1} of ${steps.length}${weight === undefined ? '' : `, weight ${String(weight)} %`}`;
}

/** Whether some pods of a StatefulSet or DaemonSet are of an earlier template. */
function isBehind({ status, kind }: JsonObject): boolean {
  if (kind === 'StatefulSet') return at(status, 'updateRevision') !== at(status, 'currentRevision');
  return Number(at(status, 'updatedNumberScheduled') ?? 0) < Number(at(status, 'desiredNumberScheduled') ?? 0);
}

/** Why a workload does not go on although nothing is broken: somebody paused it, or its own strategy waits. */
export function heldUp(workload: JsonObject): string | undefined {
  const { kind } = workload;
  if (at(workload, 'spec', 'paused') === true) return 'its rollout is paused';
  if (kind === 'CronJob' && at(workload, 'spec', 'suspend') === true) return 'it is suspended';
  if (kind === 'Job' && at(workload, 'spec', 'suspend') === true) return 'it is suspended';
  if (at(workload, 'spec', 'updateStrategy', 'type') === 'OnDelete' && isBehind(workload))
    return 'its pods are replaced only when somebody deletes them (updateStrategy OnDelete)';
  if (kind !== 'Rollout') return undefined;
  const step = stepOf(workload);
  const where = step === undefined ? '' : ` at ${step}`;
  if (at(workload, 'status', 'abort') === true) return `the Argo Rollout was aborted${where}`;
  return at(workload, 'status', 'phase') === 'Paused' ? `the Argo Rollout waits${where}` : undefined;
}
