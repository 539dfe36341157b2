import { expect, test } from 'vitest';
import { NewWorkloads } from '../../src/core/new-workloads.ts';
import { Settings } from '../../src/core/settings.ts';

test('an environment that says nothing gives new workloads all of it', () => {
  const { environments } = Settings.parse({ apps: {}, environments: { staging: { namespace: 'staging' } } });
  expect(environments.staging?.newWorkloads).toEqual({
    leaveOut: [],
    labels: {},
    requests: { cpu: '100m', memory: '128Mi' },
    limits: {},
    terminationGracePeriodSeconds: 30,
    preStopSeconds: 5,
    probes: {},
  });
});

test('who sets one request keeps the other', () => {
  expect(NewWorkloads.parse({ requests: { cpu: '1' } }).requests).toEqual({ cpu: '1', memory: '128Mi' });
});

test.each([
  ['a part that there is not', { leaveOut: ['probes'] }, 'Invalid option'],
  ['a wait that leaves no time to end', { preStopSeconds: 30 }, 'must be less than terminationGracePeriodSeconds'],
  ['a limit below the request', { limits: { memory: '64Mi' } }, 'must not be less than what is asked for (128Mi)'],
  ['what pods are found by', { labels: { 'app.kubernetes.io/name': 'x' } }, 'a label that Shipmate sets itself'],
  ['a mark of Shipmate’s own', { labels: { 'shipmate.dev/track': 'x' } }, 'a label that Shipmate sets itself'],
  ['what is no label', { labels: { team: 'a b' } }, 'must be the value of a label'],
  ['what names no label', { labels: { 'a b': 'c' } }, 'must be the name of a label'],
  ['what is no path', { probes: { readiness: 'healthz' } }, 'must be a path such as /healthz'],
  ['what nobody knows', { probs: {} }, 'Unrecognized key'],
])('%s is refused with its sentence', (_, written, problem) => {
  const { error } = NewWorkloads.safeParse(written);
  expect(JSON.stringify(error?.issues)).toContain(problem);
});
