import type { JsonObject } from '../../../core/json.ts';
import type { Match, RolloutPlan } from '../../../core/rollout.ts';

/** What the canary gets: so many of a hundred requests, those that match, and a copy of some; with a baseline, that as many. */
export type Share = {
  weight: number;
  match?: Match | undefined;
  mirror?: number | undefined;
  baseline?: boolean | undefined;
};

/** The Services between which the traffic is divided. */
export type Sides = Pick<RolloutPlan, 'service' | 'canary' | 'baseline'>;

/** What is given to the canary and to the baseline, in percent: a number of each route that leads to them. */
export type Given = {
  canary: number[];
  baseline: number[];
  /** Of each route that copies to the canary. */
  mirror: number[];
  /** There is a route for those that match. */
  match: boolean;
};

/**
 * What those of a route's destinations that count get, in percent: weights are relative to their sum.
 * @param unsaid the weight where none is said
 */
export function percentOf(all: readonly JsonObject[], unsaid: number, counts: (each: JsonObject) => boolean): number[] {
  const weightOf = ({ weight }: JsonObject) => Number(weight ?? unsaid);
  const sum = all.reduce((before, each) => before + weightOf(each), 0);
  return all.filter(counts).map((each) => (sum > 0 ? (weightOf(each) * 100) / sum : 0));
}

/** What a router's object has to do with the traffic between stable and canary. */
export type Routes = {
  /** The parts of `spec` that hold routes to stable, with the share in them; all else in them stays. */
  shared(object: JsonObject, share: Share): JsonObject;
  /** What the object gives the canary. */
  given(object: JsonObject): Given;
  /** Why the object can't be used, if so. */
  problem(object: JsonObject, shares: readonly Share[]): string | undefined;
};
