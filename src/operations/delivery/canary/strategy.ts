import { fault } from '../../../core/errors.ts';
import { type RolloutPlan, type RolloutSettings, type Stage, usual } from '../../../core/rollout.ts';

/** How a deploy is to shift: what was asked for, over what the app's settings say, over what is usual. */
export type Wanted = {
  strategy?: RolloutSettings['strategy'] | undefined;
  weights?: readonly number[] | undefined;
  steps?: readonly Stage[] | undefined;
  bake?: number | undefined;
  keep?: number | undefined;
  /** REST's word for the first weight. */
  canaryWeight?: number | undefined;
};

function stagesOf(wanted: Wanted, settings: RolloutSettings | undefined): Stage[] {
  const steps = wanted.steps ?? (wanted.weights || wanted.canaryWeight !== undefined ? undefined : settings?.steps);
  if (steps) return [...steps];
  const bake = wanted.bake ?? settings?.bake ?? usual.bakeMs;
  const weights = wanted.weights ?? settings?.weights ?? usual.weights;
  const first = wanted.canaryWeight;
  const all = first === undefined ? weights : [first, ...weights.filter((weight) => weight > first)];
  return all.map((weight) => ({ weight, bake, manual: false }));
}

/** At 100 % stable serves nobody and can be replaced: every canary ends there. */
function toTheEnd(stages: readonly Stage[]): Stage[] {
  const rising = stages.every((stage, index) => stage.weight >= (stages[index - 1]?.weight ?? 0));
  if (!rising)
    throw fault('BAD_INPUT', { problem: 'deploy: the weights must grow from step to step, such as 10,25,50,100.' });
  return stages.at(-1)?.weight === 100 ? [...stages] : [...stages, { weight: 100, manual: false }];
}

/** The stages of a deploy that shifts traffic; undefined for a rolling one. @throws Fault BAD_INPUT */
export function shiftOf(
  wanted: Wanted,
  settings: RolloutSettings | undefined,
): Pick<RolloutPlan, 'strategy' | 'stages' | 'smokeTest' | 'watchMs' | 'drainMs' | 'reachMs'> | undefined {
  const strategy = wanted.strategy ?? settings?.strategy ?? 'rolling';
  const shared = {
    ...(settings?.smokeTest && { smokeTest: settings.smokeTest }),
    watchMs: settings?.watch ?? usual.watchMs,
    drainMs: settings?.drain ?? usual.drainMs,
    reachMs: settings?.reach ?? usual.reachMs,
  };
  switch (strategy) {
    case 'rolling':
      return undefined;
    case 'canary':
      return { strategy, stages: toTheEnd(stagesOf(wanted, settings)), ...shared };
    case 'blue-green': {
      const keep = wanted.keep ?? settings?.keep ?? usual.keepMs;
      const before = wanted.steps ?? settings?.steps ?? [{ weight: 0, manual: false }];
      return {
        strategy,
        stages: [...before.filter(({ weight }) => weight === 0), { weight: 100, bake: keep, manual: false }],
        ...shared,
      };
    }
    default:
      return strategy satisfies never;
  }
}
