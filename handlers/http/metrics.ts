import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { RunStore } from '../../src/core/ports.ts';
import { isOver } from '../../src/core/run.ts';

export type Metrics = {
  registry: Registry;
  seen(request: { method: string; route: string; status: number; seconds: number }): void;
  /** The store, with the runs that pass through it counted: each change in the one process that makes it. */
  counting(store: RunStore): RunStore;
};

/** This process's metrics, in a registry of their own. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'shipmate_http_request_duration_seconds',
    help: 'How long HTTP requests took.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const runs = new Counter({
    name: 'shipmate_runs_total',
    help: 'Runs that were requested, and how they ended.',
    labelNames: ['operation', 'state'],
    registers,
  });
  const durations = new Histogram({
    name: 'shipmate_run_duration_seconds',
    help: 'How long runs took from request to end, approval included.',
    labelNames: ['operation', 'state'],
    buckets: [1, 5, 15, 30, 60, 120, 300, 600, 1_800, 3_600],
    registers,
  });
  return {
    registry,
    seen: ({ method, route, status, seconds }) => requests.observe({ method, route, status }, seconds),
    counting: (store) => ({
      ...store,
      create: async (commit, key) => {
        const result = await store.create(commit, key);
        if (result.created) runs.inc({ operation: result.run.operation, state: 'requested' });
        return result;
      },
      commit: async (commit, epoch) => {
        const result = await store.commit(commit, epoch);
        const { operation, state, createdAt, updatedAt } = commit.run;
        // A run ends once; all that is written to it after its last state is that it was reviewed.
        if (result === 'ok' && isOver(state) && !commit.run.breakGlass?.reviewed) {
          runs.inc({ operation, state });
          durations.observe({ operation, state }, Math.max(0, updatedAt - createdAt) / 1_000);
        }
        return result;
      },
    }),
  };
}
