import { Fault } from '../../core/errors.ts';
import type { Metrics, Sample } from '../../core/measuring.ts';
import type { Place } from '../../core/place.ts';
import type { Edge } from './call-edges.ts';

const span = '10m';
const sides = [
  'source_workload',
  'source_workload_namespace',
  'destination_workload',
  'destination_workload_namespace',
];

/** Requests a second by who called whom, of which one is the app. Workloads' names hold nothing that PromQL would read. */
function rate({ workload, namespace }: Place, more: string): string {
  const one = (side: string) =>
    `sum by (${sides.join(', ')}) (rate(istio_requests_total{reporter="destination",${side}_workload="${workload}",${side}_workload_namespace="${namespace}"${more}}[${span}]))`;
  return `${one('destination')} or ${one('source')}`;
}

const keyOf = ({ labels }: Sample) => sides.map((side) => labels[side] ?? '').join(' ');

function nameOf({ labels }: Sample, side: 'source' | 'destination', namespace: string): string {
  const name = labels[`${side}_workload`] ?? '';
  const where = labels[`${side}_workload_namespace`] ?? '';
  if (name === '' || name === 'unknown') return 'outside the mesh';
  return where === namespace ? name : `${where}/${name}`;
}

const figure = (value: number) =>
  value === 0 ? '0' : value >= 10 ? value.toFixed(0) : value.toFixed(value >= 0.1 ? 1 : 3);

/** Calls as the mesh has counted them; undefined, with why, where nothing could be asked. */
export async function callsSeen(
  metrics: Metrics,
  place: Place,
  signal: AbortSignal,
): Promise<{ edges: Edge[] } | { problem: string }> {
  if (!metrics.configured) return { problem: 'METRICS_ENDPOINT is not set' };
  try {
    const [all, failed] = await Promise.all(
      ['', ',response_code=~"5.."'].map((more) => metrics.query(rate(place, more), { timeoutMs: 10_000 }, signal)),
    );
    const errors = new Map((failed ?? []).map((sample) => [keyOf(sample), sample.value]));
    const edges = (all ?? [])
      .filter(({ value }) => value > 0)
      .sort((a, b) => b.value - a.value)
      .map((sample) => {
        const share = (100 * (errors.get(keyOf(sample)) ?? 0)) / sample.value;
        const [from, to] = (['source', 'destination'] as const).map((side) => nameOf(sample, side, place.namespace));
        return { from: from ?? '', to: to ?? '', by: `${figure(sample.value)} requests/s, ${figure(share)} % fail` };
      });
    return { edges };
  } catch (thrown) {
    if (thrown instanceof Fault) return { problem: thrown.message };
    throw thrown;
  }
}
