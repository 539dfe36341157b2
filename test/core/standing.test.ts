import { expect, test } from 'vitest';
import { waitsForPerson } from '../../handlers/http/wait-for-end.ts';
import { usualAnalysis } from '../../src/core/analysis/template.ts';
import type { Json } from '../../src/core/json.ts';
import { Run } from '../../src/core/run.ts';
import { standingOf } from '../../src/core/standing.ts';
import type { Steer, SteerWish } from '../../src/core/steer.ts';

const minute = 60_000;
const planned = [
  { weight: 10, bake: 5 * minute },
  { weight: 50, manual: true },
  { weight: 100, bake: 2 * minute },
];

type Steps = Record<string, { at: number; since?: number; result?: Json }>;

/** A run whose steps began at these minutes, looked at when `now` minutes have gone by. */
function runAt(now: number, steps: Steps, analysis?: string): Run {
  const names = ['prepare', 'weight 10', 'weight 50', 'weight 100', 'promote', 'return', 'remove'];
  return Run.parse({
    id: 'r1',
    version: 1,
    operation: 'deploy',
    input: {},
    actor: { kind: 'token', subject: 'x' },
    origin: { surface: 'rest' },
    state: 'running',
    createdAt: 0,
    updatedAt: now * minute,
    plan: {
      summary: '',
      changes: [],
      takesOver: [],
      digest: 'd',
      rollout: {
        strategy: 'canary',
        stages: planned,
        stable: 'web',
        canary: 'web-canary',
        service: 'web',
        ports: [80],
        router: {
          kind: 'istio',
          ref: { apiVersion: 'v1', kind: 'VirtualService', namespace: 'n', name: 'web' },
          created: false,
        },
        watchMs: 0,
        drainMs: 0,
        reachMs: 0,
        ...(analysis && { analysis: { name: analysis, template: usualAnalysis } }),
      },
    },
    checklist: [...names, ...Object.keys(steps).filter((name) => !names.includes(name))],
    steps: Object.fromEntries(
      Object.entries(steps).map(([name, { at, since, result }]) => [
        name,
        {
          state: result === undefined ? 'started' : 'done',
          startedAt: at * minute,
          ...(since !== undefined && { memo: { since: since * minute } }),
          ...(result !== undefined && { result }),
        },
      ]),
    ),
  });
}

const said = (...wishes: [number, SteerWish][]): Steer[] =>
  wishes.map(([at, wish], index) => ({ n: index + 1, at: at * minute, actor: { kind: 'token', subject: 'x' }, wish }));
const pause = { kind: 'pause' } as const;
const resume = { kind: 'resume' } as const;
const on = (heard = 0, full = false): Json => ({ next: { kind: 'on', full }, heard, paused: false, until: 0 });
const toward = (weight: number, heard: number): Json => ({
  next: { kind: 'weight', weight },
  heard,
  paused: false,
  until: 0,
});
const prepared = { prepare: { at: 0, result: { kind: 'ready' } } };

test('before its first share it has none, and on the way to one it still has the one before', () => {
  expect(standingOf(runAt(1, { prepare: { at: 0 } }), [])).toEqual({ weight: 0, phase: 'preparing', to: 10 });
  const steps = { ...prepared, 'weight 10': { at: 1, since: 1, result: on() }, 'weight 50': { at: 6 } };
  expect(standingOf(runAt(7, steps), [])).toEqual({ weight: 10, phase: 'moving', to: 50 });
});

test('while it is tried by itself it has no share, and between two shares it has that of the one before', () => {
  const tried = { ...prepared, smoke: { at: 1 } };
  expect(standingOf(runAt(2, tried), [])).toEqual({ weight: 0, phase: 'preparing', to: 10 });
  const between = { ...tried, 'weight 10': { at: 2, since: 2, result: on() }, experiment: { at: 5 } };
  expect(standingOf(runAt(6, between), [])).toMatchObject({ weight: 10, phase: 'moving' });
});

test('the next share comes when the time is over, and pauses do not count', () => {
  const run = runAt(4, { ...prepared, 'weight 10': { at: 1, since: 1 } });
  expect(standingOf(run, [])).toEqual({ weight: 10, phase: 'baking', to: 50, nextAt: 6 * minute });
  expect(standingOf(run, said([2, pause], [3, resume]))).toMatchObject({ phase: 'baking', nextAt: 7 * minute });
  expect(standingOf(run, said([2, pause]))).toEqual({ weight: 10, phase: 'held', to: 50 });
});

test('the moment does not move from one look to the next, or every look would be an edit', () => {
  const at = (now: number) => standingOf(runAt(now, { ...prepared, 'weight 10': { at: 1, since: 1 } }), [])?.nextAt;
  expect(new Set([1.5, 2, 4, 5.9, 6.2].map(at))).toEqual(new Set([6 * minute]));
});

test('what waits for a person says so; what waits for the analysis, too', () => {
  const fifty = { ...prepared, 'weight 10': { at: 1, result: on() }, 'weight 50': { at: 6, since: 6 } };
  expect(standingOf(runAt(60, fifty), [])).toEqual({ weight: 50, phase: 'manual', to: 100 });
  const ten = { ...prepared, 'weight 10': { at: 1, since: 1 } };
  expect(standingOf(runAt(9, ten, 'usual'), [])).toEqual({ weight: 10, phase: 'unsure', to: 50 });
});

test('a share that somebody asked for is followed by the next planned one above it', () => {
  const steps = { ...prepared, 'weight 10': { at: 1, result: toward(30, 1) }, 'weight 30': { at: 2, since: 2 } };
  const run = runAt(3, steps);
  expect(standingOf(run, said([2, { kind: 'weight', weight: 30 }]))).toEqual({
    weight: 30,
    phase: 'baking',
    to: 50,
    nextAt: 7 * minute,
  });
});

test('a share given by hand to what waits for people waits for them too', () => {
  const steps = {
    ...prepared,
    'weight 10': { at: 1, result: on() },
    'weight 50': { at: 6, since: 6, result: toward(75, 1) },
    'weight 75': { at: 9, since: 9 },
  };
  const run = runAt(60, steps);
  expect(standingOf(run, said([8, { kind: 'weight', weight: 75 }]))).toEqual({ weight: 75, phase: 'manual', to: 100 });
  expect(waitsForPerson(run)).toBe('75 %');
  expect(waitsForPerson(runAt(4, { ...prepared, 'weight 10': { at: 1, since: 1 } }))).toBeUndefined();
});

test('also one that had been passed over, which stands before the others in the list', () => {
  const steps = {
    ...prepared,
    'weight 50': { at: 3, since: 3, result: toward(10, 2) },
    'weight 30': { at: 2, result: toward(50, 1) },
    'weight 10': { at: 4, since: 4 },
  };
  expect(standingOf(runAt(5, steps), [])).toMatchObject({ weight: 10, phase: 'baking', to: 50 });
});

test('promoted in full, the last share is passed at once', () => {
  const steps = { ...prepared, 'weight 10': { at: 1, result: on(1, true) }, 'weight 100': { at: 2, since: 2 } };
  expect(standingOf(runAt(2, steps), [])).toEqual({ weight: 100, phase: 'baking', nextAt: 2 * minute });
});

test('on the way back there is no share, and after the promotion there is all', () => {
  const steps = { ...prepared, 'weight 10': { at: 1, result: on() }, back: { at: 3 } };
  expect(standingOf(runAt(4, steps), [])).toEqual({ weight: 0, phase: 'back' });
  const all = { ...prepared, 'weight 100': { at: 1, result: on() }, promote: { at: 3, result: {} }, return: { at: 4 } };
  expect(standingOf(runAt(4, all), [])).toEqual({ weight: 100, phase: 'cleared' });
});

test('nothing is said of runs that shift no traffic, or are over', () => {
  const run = runAt(1, { prepare: { at: 0 } });
  expect(standingOf({ ...run, plan: undefined }, [])).toBeUndefined();
  expect(standingOf({ ...run, state: 'failed' }, [])).toBeUndefined();
});
