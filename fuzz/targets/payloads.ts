import fc from 'fast-check';
import { z } from 'zod';
import { readRequest, routesOf, shapeOf } from '../../handlers/http/route-request.ts';
import { afterDelivery } from '../../handlers/webhooks/alert-group.ts';
import { AlertPayload } from '../../handlers/webhooks/alert-payload.ts';
import { HarborPayload, heardIn } from '../../handlers/webhooks/harbor-payload.ts';
import { pushesOfDistribution, pushesOfDockerHub, pushesOfGithub } from '../../handlers/webhooks/push-payloads.ts';
import { parseImage } from '../../src/core/image.ts';
import { digestOf, Json } from '../../src/core/json.ts';
import { Settings } from '../../src/core/settings.ts';
import { catalogue } from '../../src/operations/catalogue.ts';
import { json, mutated } from '../inputs.ts';
import { holds, type Target, target } from '../target.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const time = '2026-11-30T04:00:00Z';
const alert = {
  version: '4',
  groupKey: 'g',
  status: 'firing',
  groupLabels: { alertname: 'High' },
  commonLabels: { app: 'web', env: 'production', severity: 'critical' },
  commonAnnotations: { summary: 's' },
  externalURL: 'http://a.example',
  alerts: [
    {
      status: 'firing',
      labels: { alertname: 'High' },
      annotations: {},
      startsAt: time,
      endsAt: time,
      fingerprint: 'f',
    },
  ],
};
const harbor = {
  type: 'PUSH_ARTIFACT',
  occur_at: 1,
  event_data: { resources: [{ digest, tag: 'v1' }], repository: { repo_full_name: 'team/web' } },
};
const distribution = { events: [{ id: 'e', action: 'push', target: { repository: 'web', tag: 'v1', digest } }] };
const github = {
  action: 'published',
  registry_package: {
    name: 'web',
    namespace: 'team',
    ecosystem: 'CONTAINER',
    package_version: {
      id: 1,
      updated_at: time,
      package_url: 'ghcr.io/team/web:v1',
      container_metadata: { tag: { name: 'v1', digest } },
    },
  },
};
const hub = { push_data: { tag: 'v1', pushed_at: 1 }, repository: { repo_name: 'team/web' } };

const settings = Settings.parse({
  apps: { web: { image: 'r.example.com/web' } },
  environments: { production: { namespace: 'prod' } },
  people: {},
  policy: [],
});
const home = parseImage('r.example.com/team/web');
const operations = [...catalogue.values()];
const routes = operations.flatMap((operation) =>
  routesOf(operation).map((route) => ({ operation, route, shape: shapeOf(route) })),
);
/** By its place: an operation itself is nothing to print. */
const nth = <Each>(all: readonly Each[], n: number): Each => {
  const found = all[n];
  if (found === undefined) throw new Error('there is none');
  return found;
};
const fields = [...new Set(operations.flatMap((operation) => [...operation.fields.keys()]))];
const values = ['web', 'production', '3', '10m', 'deployment/web', '10.0.0.0/8', '0 3 * * *', 'v1'];
const fieldsOf = (value: fc.Arbitrary<unknown>) =>
  fc.array(fc.tuple(fc.constantFrom(...fields), value), { maxLength: 8 }).map((all) => Object.fromEntries(all));
const refuses = [z.ZodError, z.core.$ZodError];

export const payloads: readonly Target[] = [
  target(
    'alertmanager',
    'A delivery of alerts is refused, or makes a group that is no larger than it may be.',
    fc.array(mutated([alert]), { minLength: 1, maxLength: 4 }),
    (bodies) => {
      let known: ReturnType<typeof afterDelivery> | undefined;
      for (const body of bodies) {
        const { success, data } = AlertPayload.safeParse(body);
        if (!success) continue;
        known = afterDelivery(known, data, settings, Date.parse(time));
        holds(known.alerts.length <= 200 && known.title.length <= 150, 'it grows without end');
      }
    },
  ),
  target(
    'harbor',
    'A webhook of Harbor is refused, or names what to look into.',
    fc.oneof(mutated([harbor]), json()),
    (body) => {
      const { success, data } = HarborPayload.safeParse(body);
      if (!success) return;
      digestOf(data);
      holds((heardIn(data)?.references.length ?? 0) <= 20, 'it names too much');
    },
  ),
  target(
    'registry',
    'A webhook of a registry is refused, or names what was pushed by tag and digest.',
    fc.oneof(mutated([distribution, github, hub]), json()),
    (body) => {
      for (const read of [pushesOfDistribution, pushesOfGithub, pushesOfDockerHub]) {
        const found = z.array(
          z.object({ isOf: z.any(), tag: z.string().max(128), digest: z.string().optional(), delivery: z.string() }),
        );
        try {
          const pushes = read(body);
          holds(found.safeParse(pushes).success, `it names ${JSON.stringify(pushes)}`);
          for (const { isOf } of pushes) isOf(home);
        } catch (thrown) {
          if (!(thrown instanceof z.ZodError)) throw thrown;
        }
      }
    },
  ),
  target(
    'rest-request',
    'A request of any route becomes an input, which its schema takes or refuses, or is refused with a sentence.',
    fc.tuple(
      fc.nat({ max: routes.length - 1 }),
      fieldsOf(fc.oneof(fc.constantFrom(...values), json(values))),
      fc.oneof(fieldsOf(json(values)), json(fields)),
    ),
    ([n, params, body]) => {
      const { operation, route, shape } = nth(routes, n);
      const input = readRequest(route, shape, { params, query: body, body });
      operation.input.safeParse(input);
    },
  ),
  target(
    'operation-input',
    'Any input is taken or refused by each operation’s schema; what it took it takes again, and as the same.',
    fc.tuple(
      fc.nat({ max: operations.length - 1 }),
      fc.oneof(fieldsOf(fc.oneof(fc.constantFrom(...values), fc.nat(), json(values))), json(fields)),
    ),
    ([n, given]) => {
      const operation = nth(operations, n);
      const { success, data } = operation.input.safeParse(given);
      if (!success) return;
      const again = operation.input.safeParse(data);
      holds(again.success && digestOf(again.data) === digestOf(data), `it is read again as ${JSON.stringify(again)}`);
    },
    { refuses },
  ),
  target('json', 'Any JSON is JSON, and has a digest that does not go by the order of its keys.', json(), (value) => {
    const { success, data } = Json.safeParse(value);
    if (!success) return;
    holds(digestOf(data) === digestOf(structuredClone(data)), 'the digest differs');
  }),
];
