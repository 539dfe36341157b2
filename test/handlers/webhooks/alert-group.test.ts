import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { afterDelivery, groupIdOf } from '../../../handlers/webhooks/alert-group.ts';
import type { AlertPayload } from '../../../handlers/webhooks/alert-payload.ts';
import type { AlertGroup } from '../../../src/core/alert.ts';
import { Settings } from '../../../src/core/settings.ts';

const settings = Settings.parse({
  apps: { web: { image: 'r/web' }, api: { image: 'r/api', workload: 'api-server' } },
  environments: { staging: { namespace: 'stage' }, production: { namespace: 'prod' } },
});
const start = Date.parse('2026-11-23T12:00:00Z');
const minute = (n: number) => new Date(start + n * 60_000).toISOString();
const noEnd = '0001-01-01T00:00:00Z';

type Given = { name: string; since: number; until?: number; labels?: Record<string, string> };

function delivery(
  alerts: Given[],
  labels: Record<string, string> = { alertname: 'HighErrorRate', app: 'web' },
): AlertPayload {
  return {
    version: '4',
    groupKey: '{}:{alertname="HighErrorRate"}',
    status: alerts.some(({ until }) => until === undefined) ? 'firing' : 'resolved',
    groupLabels: { alertname: labels.alertname ?? 'x' },
    commonLabels: labels,
    commonAnnotations: {},
    externalURL: 'http://alertmanager.example:9093',
    alerts: alerts.map(({ name, since, until, labels: own }) => ({
      status: until === undefined ? 'firing' : 'resolved',
      labels: { alertname: name, ...own },
      annotations: { summary: `${name} is wrong` },
      startsAt: minute(since),
      endsAt: until === undefined ? noEnd : minute(until),
      fingerprint: name,
    })),
  };
}

/** What is known after the deliveries, the n-th one minute after the one before. */
function groupAfter(deliveries: AlertPayload[], at = (index: number) => start + index * 60_000): AlertGroup {
  const last = deliveries.reduce<AlertGroup | undefined>(
    (known, payload, index) => afterDelivery(known, payload, settings, at(index)),
    undefined,
  );
  return last ?? expect.unreachable('no deliveries');
}

const states = ({ alerts }: AlertGroup) =>
  Object.fromEntries(alerts.map(({ fingerprint, status }) => [fingerprint, status]));

test('a group that fires', () => {
  expect(
    groupAfter([
      delivery([{ name: 'a', since: -5 }], {
        alertname: 'HighErrorRate',
        app: 'web',
        namespace: 'prod',
        severity: 'page',
      }),
    ]),
  ).toEqual({
    id: groupIdOf({ groupKey: '{}:{alertname="HighErrorRate"}' }),
    status: 'firing',
    app: 'web',
    env: 'production',
    severity: 'page',
    title: 'HighErrorRate',
    alerts: [{ fingerprint: 'a', status: 'firing', name: 'a', summary: 'a is wrong', startsAt: minute(-5) }],
    firstAt: start,
    updatedAt: start,
    source: 'http://alertmanager.example:9093',
  });
});

test('ids are 16 hex digits of the key, and differ with it', () => {
  expect(groupIdOf({ groupKey: 'a' })).toBe('ca978112ca1bbdca');
  expect(groupIdOf({ groupKey: 'b' })).not.toBe('ca978112ca1bbdca');
});

describe('deliveries that say nothing new change nothing', () => {
  test('a repetition', () => {
    const known = groupAfter([delivery([{ name: 'a', since: 0 }])]);
    expect(afterDelivery(known, delivery([{ name: 'a', since: 0 }]), settings, start + 9_000)).toBe(known);
  });

  test('that it fires, arriving after that it resolved', () => {
    const known = groupAfter([delivery([{ name: 'a', since: 0 }]), delivery([{ name: 'a', since: 0, until: 1 }])]);
    expect(known).toMatchObject({ status: 'resolved', firstAt: start, updatedAt: start + 60_000 });
    expect(afterDelivery(known, delivery([{ name: 'a', since: 0 }]), settings, start + 120_000)).toBe(known);
  });

  test('an earlier episode’s end, arriving after it fired anew', () => {
    const known = groupAfter([delivery([{ name: 'a', since: 0 }]), delivery([{ name: 'a', since: 5 }])]);
    expect(afterDelivery(known, delivery([{ name: 'a', since: 0, until: 2 }]), settings, start + 400_000)).toBe(known);
  });
});

describe('over time', () => {
  test('alerts join, and the group resolves with its last one', () => {
    const one = groupAfter([
      delivery([{ name: 'a', since: 0 }]),
      delivery([
        { name: 'a', since: 0 },
        { name: 'b', since: 1 },
      ]),
    ]);
    expect(states(one)).toEqual({ a: 'firing', b: 'firing' });
    const two = afterDelivery(
      one,
      delivery([
        { name: 'a', since: 0, until: 2 },
        { name: 'b', since: 1 },
      ]),
      settings,
      start + 200_000,
    );
    expect(two).toMatchObject({ status: 'firing', firstAt: start, updatedAt: start + 200_000 });
    const three = afterDelivery(two, delivery([{ name: 'b', since: 1, until: 3 }]), settings, start + 300_000);
    expect(three).toMatchObject({ status: 'resolved', firstAt: start });
    expect(states(three)).toEqual({ a: 'resolved', b: 'resolved' });
  });

  test('a firing one comes first, so that it is seen', () => {
    const group = groupAfter([
      delivery([
        { name: 'a', since: 0, until: 1 },
        { name: 'b', since: 0 },
      ]),
    ]);
    expect(group.alerts.map(({ fingerprint }) => fingerprint)).toEqual(['b', 'a']);
  });

  test('what fires again after all was over is a new incident', () => {
    const known = groupAfter([
      delivery([
        { name: 'a', since: 0 },
        { name: 'b', since: 0 },
      ]),
      delivery([
        { name: 'a', since: 0, until: 1 },
        { name: 'b', since: 0, until: 1 },
      ]),
    ]);
    const again = afterDelivery(known, delivery([{ name: 'a', since: 60 }]), settings, start + 3_600_000);
    expect(again).toMatchObject({ status: 'firing', firstAt: start + 3_600_000 });
    expect(states(again)).toEqual({ a: 'firing' });
  });

  test('an alert that only seemed to have ended fires again once no delivery can be that late', () => {
    const known = groupAfter([delivery([{ name: 'a', since: 0, until: 1 }])]);
    const later = afterDelivery(known, delivery([{ name: 'a', since: 0 }]), settings, start + 7 * 60_000);
    expect(later.status).toBe('firing');
  });

  test('a resolved group takes along what its delivery no longer lists, but not what began since', () => {
    const known = groupAfter([
      delivery([
        { name: 'a', since: 0 },
        { name: 'cut off', since: 0 },
        { name: 'new', since: 9 },
      ]),
    ]);
    const end = afterDelivery(known, delivery([{ name: 'a', since: 0, until: 5 }]), settings, start + 600_000);
    expect(states(end)).toEqual({ a: 'resolved', 'cut off': 'resolved', new: 'firing' });
  });

  test('in whatever order and however often they come, deliveries end in the same state', () => {
    const history = [
      delivery([{ name: 'a', since: 0 }]),
      delivery([
        { name: 'a', since: 0 },
        { name: 'b', since: 1 },
      ]),
      delivery([
        { name: 'a', since: 0, until: 2 },
        { name: 'b', since: 1 },
      ]),
      delivery([
        { name: 'a', since: 3 },
        { name: 'b', since: 1 },
      ]),
      delivery([
        { name: 'a', since: 3, until: 4 },
        { name: 'b', since: 1 },
      ]),
    ];
    const together = () => start + 4 * 60_000;
    const shuffled = fc.shuffledSubarray([...history, ...history], { minLength: history.length * 2 });
    fc.assert(
      fc.property(shuffled, (deliveries) => {
        expect(states(groupAfter(deliveries, together))).toEqual({ a: 'resolved', b: 'firing' });
      }),
    );
  });
});

describe('app and environment come from the labels, where shipmate.yaml knows them', () => {
  test.each([
    [
      { app: 'web', environment: 'staging' },
      { app: 'web', env: 'staging' },
    ],
    [
      { service: 'api', env: 'production' },
      { app: 'api', env: 'production' },
    ],
    [
      { deployment: 'api-server', namespace: 'prod' },
      { app: 'api', env: 'production' },
    ],
    [
      { app: 'unheard-of', service: 'web', namespace: 'kube-system' },
      { app: 'web', env: undefined },
    ],
    [{ app: 'unheard-of' }, { app: undefined, env: undefined }],
    [
      { app: 'constructor', namespace: 'constructor' },
      { app: undefined, env: undefined },
    ],
  ])('%j', (labels, target) => {
    const { app, env } = groupAfter([delivery([{ name: 'a', since: 0 }], { alertname: 'x', ...labels })]);
    expect({ app, env }).toEqual(target);
  });

  test('and stay when a later delivery’s alerts have less in common', () => {
    const group = groupAfter([
      delivery([{ name: 'a', since: 0 }], { alertname: 'x', app: 'web', namespace: 'prod' }),
      delivery(
        [
          { name: 'a', since: 0 },
          { name: 'b', since: 1 },
        ],
        { alertname: 'x' },
      ),
    ]);
    expect(group).toMatchObject({ app: 'web', env: 'production' });
  });
});

test('nothing grows without end, and no link is anything but a link', () => {
  const many = Array.from({ length: 5_000 }, (_, index) => ({ name: `alert-${index}`, since: 0 }));
  const payload = delivery(many, { alertname: 'x'.repeat(9_999), severity: 'y'.repeat(9_999) });
  const group = afterDelivery(undefined, { ...payload, externalURL: 'javascript:alert(1)' }, settings, start);
  expect(group.alerts).toHaveLength(200);
  expect(group.title.length + (group.severity?.length ?? 0)).toBeLessThan(1_000);
  expect(group.source).toBeUndefined();
});
