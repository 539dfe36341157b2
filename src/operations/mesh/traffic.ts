import { z } from 'zod';
import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import { Label } from '../../core/name-pattern.ts';
import { defineOperation, type RunContext, route } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import { list, nameIn, words } from '../kubernetes/reading.ts';
import { policiesAbout, reachText } from './caller-words.ts';
import { meansService, meshList } from './objects.ts';
import { meshOf, trafficPermissions } from './traffic-plan.ts';
import { faultRows, policyRows, routeRows } from './traffic-rows.ts';
import { isAbout, isForAll } from './workloads.ts';

/** Policies about the pods of a Service: what calls they take. */
async function securityRows(
  run: RunContext<'kube', 'read'>,
  service: JsonObject,
  signal: AbortSignal,
): Promise<string[][]> {
  const { cluster, namespace } = run.site;
  const kube = run.on.kube(cluster);
  const [peers, policies, tokens] = await Promise.all(
    (['PeerAuthentication', 'AuthorizationPolicy', 'RequestAuthentication'] as const).map((kind) =>
      meshList(kube, kind, namespace, signal),
    ),
  );
  const selector = at(service, 'spec', 'selector');
  const labels = isObject(selector) ? selector : {};
  const about = (all: JsonObject[] = []) => all.filter((policy) => isAbout(policy, labels));
  const own = about(peers).sort((a, b) => Number(isForAll(a)) - Number(isForAll(b)))[0];
  const who = policiesAbout(policies ?? [], labels);
  return [
    [
      'mTLS',
      text(at(own, 'spec', 'mtls', 'mode')) || 'as the mesh has it',
      own ? `PeerAuthentication/${nameIn(own)}` : '',
    ],
    ['May call', reachText(who), who.map((policy) => `AuthorizationPolicy/${nameIn(policy)}`).join(', ')],
    ...about(tokens).map((each) => [
      'Tokens',
      list(at(each, 'spec', 'jwtRules'))
        .map(({ issuer }) => text(issuer))
        .join(', '),
      `RequestAuthentication/${nameIn(each)}`,
    ]),
  ];
}

export const traffic = defineOperation({
  name: 'traffic',
  summary: 'Show what the traffic to a Service goes by: routes, shares, timeouts, policies',
  effect: 'read',
  input: z.strictObject({ service: Label.describe('The Service').meta({ examples: ['web'] }), env: EnvRef }),
  usage: '<service> in <env>',
  examples: ['web in staging'],
  routes: [
    route({
      method: 'GET',
      path: '/traffic/:namespace/:service',
      summary: 'What the traffic to a Service goes by',
      request: z.object({ namespace: EnvRef, service: Label }),
      input: ({ namespace, service }) => ({ service, env: namespace }),
    }),
  ],
  needs: ['kube'],
  permissions: [
    ...trafficPermissions,
    'list peerauthentications.security.istio.io,authorizationpolicies.security.istio.io,requestauthentications.security.istio.io',
  ],
  steps: ['read'],
  target: ({ env }) => ({ env }),
  plan: async () => ({ summary: 'looks', changes: [], takesOver: [] }),
  run: async (run, { service }) =>
    run.step('read', async ({ signal }) => {
      const mesh = await meshOf({ on: run.on, site: run.site, signal }, service);
      const security = await securityRows(run, mesh.service, signal);
      const rules = mesh.rules.filter((rule) => meansService(at(rule, 'spec', 'host'), service, run.site.namespace));
      const objects = [...new Set(mesh.routes.map(({ object }) => object))];
      const hosts = [...new Set(objects.flatMap((object) => words(at(object, 'spec', 'hosts'))))];
      return {
        kind: 'table' as const,
        title: `Traffic to ${service} in ${run.site.env}`,
        columns: ['What', 'Is', 'By'],
        rows: [...mesh.routes.flatMap(routeRows), ...faultRows(objects), ...rules.flatMap(policyRows), ...security],
        note:
          mesh.routes.length > 0
            ? `Called as ${hosts.join(', ')}.`
            : `No VirtualService leads to ${service}: its pods get all requests alike, with the mesh’s own two retries.`,
      };
    }),
});
