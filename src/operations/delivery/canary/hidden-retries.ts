import type { AnalysisTemplate } from '../../../core/analysis/template.ts';
import { at, type JsonObject } from '../../../core/json.ts';
import { refOf } from '../../../core/kube.ts';
import { list } from '../../../core/observed.ts';
import { nameOf } from '../../kubernetes/writes.ts';

/** How often a route tries a request again: of a VirtualService, or of an HTTPRoute. */
const attemptsOf = (route: JsonObject): number =>
  Number(at(route, 'retries', 'attempts') ?? at(route, 'retry', 'attempts') ?? 0);

/**
 * What the judge can't see, as a sentence: Istio's callers count a request once, by its last attempt. (Of Envoy's own counters
 * the judge takes those that were tried again as well; and with `reporter: destination` each attempt is counted.)
 */
export function hiddenRetries(router: JsonObject | undefined, template: AnalysisTemplate | undefined): string[] {
  if (!router || template?.source !== 'istio' || template.reporter !== 'source') return [];
  if (!template.metrics.some(({ kind }) => kind === 'success-rate')) return [];
  const routes = ['http', 'rules'].flatMap((field) => list(at(router, 'spec', field)));
  const attempts = Math.max(0, ...routes.map(attemptsOf));
  if (!(attempts > 0)) return [];
  return [
    `${nameOf(refOf(router))} tries failed requests again (${attempts} ${attempts === 1 ? 'time' : 'times'}), and the analysis sees only how the last try went; with reporter: destination it sees all.`,
  ];
}
