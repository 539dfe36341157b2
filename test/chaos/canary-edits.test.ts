import { describe, expect, test } from 'vitest';
import { at, isObject, type JsonObject } from '../../src/core/json.ts';
import { list } from '../../src/core/observed.ts';
import type { RolloutPlan } from '../../src/core/rollout.ts';
import { routesOf, shareChanged } from '../../src/operations/delivery/canary/router.ts';
import type { Share, Sides } from '../../src/operations/delivery/canary/share.ts';

/** What somebody else does to the routes while a canary has its share: found whatever part of ours it is, and no other. */

const sides = { service: 'web', canary: 'web-canary', baseline: 'web-baseline' };
const named = { namespace: 'staging', name: 'web' };
type Plan = Sides & Pick<RolloutPlan, 'router'>;
const istio: Plan = {
  ...sides,
  router: {
    kind: 'istio',
    created: false,
    ref: { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', ...named },
  },
};
const gateway: Plan = {
  ...sides,
  router: {
    kind: 'gateway',
    ref: { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', ...named },
  },
};

const found = (plan: Plan) => routesOf(plan) ?? expect.unreachable();
const standing = (plan: Plan, spec: JsonObject, share: Share): JsonObject => ({
  spec: { ...spec, ...found(plan).routes.shared({ spec }, share) },
});
const changed = (plan: Plan, live: JsonObject | undefined, share: Share) =>
  shareChanged({ read: async () => live }, plan, share, AbortSignal.timeout(5_000));

const destination = { host: 'web', port: { number: 80 } };
const backend = { group: '', kind: 'Service', name: 'web', port: 80, weight: 1 };
const routers: { of: string; plan: Plan; part: 'http' | 'rules'; spec: JsonObject }[] = [
  {
    of: 'VirtualService',
    plan: istio,
    part: 'http',
    spec: {
      http: [
        { name: 'api', match: [{ uri: { prefix: '/api' } }], route: [{ destination }] },
        { name: 'all', route: [{ destination }] },
        { name: 'docs', route: [{ destination: { host: 'docs' } }] },
      ],
    },
  },
  {
    of: 'HTTPRoute',
    plan: gateway,
    part: 'rules',
    spec: {
      rules: [
        { matches: [{ path: { type: 'PathPrefix', value: '/api' } }], backendRefs: [backend] },
        { matches: [{ path: { type: 'PathPrefix', value: '/' } }], backendRefs: [backend] },
        { backendRefs: [{ ...backend, name: 'docs' }] },
      ],
    },
  },
];

const shares: Share[] = [
  { weight: 0 },
  { weight: 7 },
  { weight: 100 },
  { weight: 20, baseline: true },
  { weight: 0, match: { header: 'x-preview', value: 'yes' } },
  { weight: 30, match: { cookie: 'preview', value: 'yes' }, mirror: 40 },
  { weight: 0, mirror: 100 },
];

describe.each(routers)('in a $of', ({ plan, part, spec }) => {
  /** Other weights for a Service, in the first route that has it. */
  const weigh = (live: JsonObject, service: string, weight: number): JsonObject => {
    const to = (each: JsonObject) => at(each, 'destination', 'host') ?? at(each, 'name');
    const key = part === 'http' ? 'route' : 'backendRefs';
    let done = false;
    const routes = list(at(live, 'spec', part)).map((route) => ({
      ...route,
      [key]: list(route[key]).map((each) => {
        if (done || to(each) !== service) return each;
        done = true;
        return { ...each, weight };
      }),
    }));
    expect(done).toBe(true);
    return { spec: { [part]: routes } };
  };

  test.each(shares)('nothing is found where nobody did anything: %j', async (share) => {
    expect(await changed(plan, standing(plan, spec, share), share)).toBeUndefined();
  });

  test('another weight of the canary, of the baseline, or of stable', async () => {
    const share = { weight: 20, baseline: true };
    const live = standing(plan, spec, share);
    expect(await changed(plan, weigh(live, 'web-canary', 0), share)).toBe(
      'somebody else gave it 0 % of the traffic meanwhile',
    );
    expect(await changed(plan, weigh(live, 'web-baseline', 20.5), share)).toMatch(
      /^somebody else gave it 19\.9 % of the traffic/,
    );
    expect(await changed(plan, weigh(weigh(live, 'web', 75), 'web-baseline', 5), share)).toBe(
      'somebody else gave the baseline that it is compared with 5 % of the traffic meanwhile',
    );
    expect(await changed(plan, weigh(live, 'web', 160), share)).toBe(
      'somebody else gave it 10 % of the traffic meanwhile',
    );
  });

  test('the routes as they were before, and the whole object gone', async () => {
    for (const share of shares.slice(1))
      expect(await changed(plan, { spec: { ...spec } }, share), JSON.stringify(share)).toMatch(/^somebody else /);
    expect(await changed(plan, undefined, { weight: 20 })).toBe('what routes the traffic was deleted meanwhile');
  });

  test('the copies, and the route of those that match', async () => {
    const copied = { weight: 0, mirror: 40 };
    const more = standing(plan, spec, { weight: 0, mirror: 90 });
    expect(await changed(plan, more, copied)).toBe('somebody else had 90 % of the traffic copied to it meanwhile');
    const none = standing(plan, spec, { weight: 0 });
    expect(await changed(plan, none, copied)).toBe('somebody else had 0 % of the traffic copied to it meanwhile');
    const chosen = { weight: 0, match: { header: 'x-preview', value: 'yes' } };
    expect(await changed(plan, none, chosen)).toMatch(/^somebody else took away its route/);
  });

  test('what somebody has added for stable, or set in a route of theirs, is theirs', async () => {
    const share = { weight: 20, baseline: true };
    const live = standing(plan, spec, share);
    const [first = {}, ...others] = list(at(live, 'spec', part));
    const added = list(at({ spec }, 'spec', part))[0];
    expect(isObject(added)).toBe(true);
    const routes = [{ ...first, timeout: '3s' }, ...(added ? [{ ...added, name: 'new' }] : []), ...others];
    expect(await changed(plan, { spec: { [part]: routes } }, share)).toBeUndefined();
  });
});
