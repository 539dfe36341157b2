import { at, isObject, type Json, type JsonObject } from '../../../core/json.ts';
import { type Labels, labelsOf, selects } from '../../../core/label-selector.ts';

/** What the canary's pods bear besides: by it they are told from stable's. */
export const trackLabel = 'shipmate.dev/track';

const keysOf = (selector: Json | undefined): string[] => {
  const expressions = at(selector, 'matchExpressions');
  const others = (Array.isArray(expressions) ? expressions : []).map((expression) => String(at(expression, 'key')));
  return [...Object.keys(labelsOf(at(selector, 'matchLabels'))), ...others];
};

/**
 * The labels that must differ so that none of the selectors fits any more: as few as possible, since each is one that
 * policies may go by as well. Of two that serve equally, the first selector's first.
 */
function keysThatDiffer(selectors: readonly Json[]): string[] {
  const chosen: string[] = [];
  for (let left = [...selectors]; left.length > 0; ) {
    const counts = new Map<string, number>();
    for (const key of left.flatMap(keysOf)) counts.set(key, (counts.get(key) ?? 0) + 1);
    const [best] = [...counts].sort(([, a], [, b]) => b - a);
    if (!best) break;
    chosen.push(best[0]);
    left = left.filter((selector) => !keysOf(selector).includes(best[0]));
  }
  return chosen;
}

/** A Service's selector as a LabelSelector; one without selects nothing. */
const selectorOf = (service: JsonObject): JsonObject | undefined => {
  const plain = at(service, 'spec', 'selector');
  return isObject(plain) && Object.keys(plain).length > 0 ? { matchLabels: plain } : undefined;
};

/** The Services whose traffic reaches pods with these labels. */
export const servicesOf = (services: readonly JsonObject[], pods: Labels): JsonObject[] =>
  services.filter((service) => selects(selectorOf(service), pods));

/**
 * The labels of the canary's pods. Where a router moves the traffic, no Service of stable may find them, nor stable's own
 * selector; where the numbers of pods do, the Services must find both.
 */
export function canaryLabels(
  deployment: JsonObject,
  services: readonly JsonObject[],
  canary: string,
  byReplicas: boolean,
  track: 'canary' | 'baseline' = 'canary',
): Record<string, string> {
  const own = labelsOf(at(deployment, 'spec', 'template', 'metadata', 'labels'));
  const selectors = [at(deployment, 'spec', 'selector'), ...services.map(selectorOf)].filter(isObject);
  const differ = byReplicas ? [] : keysThatDiffer(selectors);
  return { ...own, ...Object.fromEntries(differ.map((key) => [key, canary])), [trackLabel]: track };
}
