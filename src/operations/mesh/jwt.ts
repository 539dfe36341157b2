import { z } from 'zod';
import { same } from '../../core/edits.ts';
import { at, type JsonObject } from '../../core/json.ts';
import { refOf } from '../../core/kube.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { isOurs } from '../../core/ours.ts';
import { EnvRef, WorkloadRef } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { Switch } from '../../core/values.ts';
import { list, nameIn } from '../kubernetes/reading.ts';
import { planWrites, runWrites, type Wish, writeSteps } from '../kubernetes/writes.ts';
import { editTo, keepersText, meshList, meshObject, selectorOf } from './objects.ts';
import { timeOrOff } from './words.ts';
import { type Meshed, meshed, workloadPermissions } from './workloads.ts';

const Url = z
  .string()
  .max(1_000)
  .regex(/^https?:\/\/[^\s/]+(\/\S*)?$/, 'must be an address such as https://id.example.com/jwks');

const Input = z.strictObject({
  app: WorkloadRef,
  issuer: timeOrOff(z.string().min(1).max(1_000)).describe('Who issues the tokens (iss); off for no check at all'),
  env: EnvRef,
  jwks: Url.optional().describe('Where its keys are; left out, they are found by the issuer’s own discovery'),
  audiences: z.array(z.string().min(1).max(500)).min(1).max(20).optional().describe('Whom the tokens must be for'),
  require: Switch.optional().describe('Whether calls without a token are refused; a wrong one always is'),
});
type Input = z.output<typeof Input>;

/** Refuses what comes without a token: RequestAuthentication alone refuses only wrong ones. */
const requirement = ({ place, labels }: Meshed): JsonObject =>
  meshObject('AuthorizationPolicy', place.namespace, `require-jwt-${place.workload}`, {
    ...selectorOf(labels),
    action: 'DENY',
    rules: [{ from: [{ source: { notRequestPrincipals: ['*'] } }] }],
  });

function checkWish(live: JsonObject | undefined, about: Meshed, { issuer, jwks, audiences }: Input): Wish {
  const { place, labels } = about;
  const base =
    live ?? meshObject('RequestAuthentication', place.namespace, `jwt-${place.workload}`, selectorOf(labels));
  if (issuer === null) return { kind: 'remove', ref: refOf(base) };
  const rules = at(base, 'spec', 'jwtRules');
  const known = list(rules).find((rule) => rule.issuer === issuer);
  const rule: JsonObject = {
    ...(known ?? { issuer }),
    ...(jwks !== undefined && { jwksUri: jwks }),
    ...(audiences && { audiences }),
  };
  return { kind: 'edit', ref: refOf(base), edits: [editTo(base, ['spec', 'jwtRules', { issuer }], rule)], base };
}

function wayBack(live: JsonObject | undefined, required: boolean, { app, env, issuer }: Input): Draft['undo'] {
  const known = list(at(live, 'spec', 'jwtRules'));
  const [only] = known;
  if (!live) return { operation: 'jwt', input: { app, env, issuer: 'off' } };
  if (!only || known.length > 1 || (issuer !== null && only.issuer !== issuer)) return undefined;
  const { jwksUri, audiences } = only;
  return {
    operation: 'jwt',
    input: {
      app,
      env,
      issuer: only.issuer ?? '',
      require: required,
      ...(jwksUri !== undefined && { jwks: jwksUri }),
      ...(audiences !== undefined && { audiences }),
    },
  };
}

async function plan({ on, place, settings, signal }: PlanContext<'kube'>, input: Input): Promise<Draft> {
  const kube = on.kube(place.cluster);
  const [checks, policies, about] = await Promise.all([
    meshList(kube, 'RequestAuthentication', place.namespace, signal),
    meshList(kube, 'AuthorizationPolicy', place.namespace, signal),
    meshed(kube, settings, input, signal),
  ]);
  const { issuer, require = issuer === null ? false : undefined } = input;
  const selector = selectorOf(about.labels).selector;
  const live = checks.find((each) => same(at(each, 'spec', 'selector'), selector) && (issuer !== null || isOurs(each)));
  const manifest = requirement(about);
  const required = policies.some((policy) => nameIn(policy) === nameIn(manifest));
  const wishes: Wish[] = [
    ...(issuer !== null || live ? [checkWish(live, about, input)] : []),
    ...(require === true ? [{ kind: 'apply' as const, manifest }] : []),
    ...(require === false && required ? [{ kind: 'remove' as const, ref: refOf(manifest) }] : []),
  ];
  const planned = await planWrites(kube, wishes, signal);
  const undo = wayBack(live, required, input);
  const must = require === true ? ', and there must be one' : require === false ? ', and there need be none' : '';
  const what = issuer === null ? 'tokens are not looked at any more' : `tokens must be of ${issuer}${must}`;
  return { summary: `${place.app}: ${what}${keepersText([live])}`, ...planned, ...(undo && { undo }) };
}

export const jwt = defineOperation({
  name: 'jwt',
  summary: 'Let an app take only calls whose token (JWT) a certain issuer signed',
  effect: 'change',
  input: Input,
  usage: '<app> <issuer> in <env> [jwks=<jwks>] [audiences=<audiences>] [require=<require>]',
  examples: [
    'web https://id.example.com in staging jwks=https://id.example.com/jwks require=yes',
    'web off in staging',
  ],
  routes: [
    route({
      method: 'PUT',
      path: '/jwt/:namespace/:app',
      summary: 'Set whose tokens an app takes',
      request: Input.omit({ env: true }).extend({ namespace: EnvRef }),
      input: ({ namespace, ...input }) => ({ ...input, env: namespace }),
    }),
  ],
  needs: ['kube'],
  permissions: [
    'get,list,create,patch,delete requestauthentications.security.istio.io,authorizationpolicies.security.istio.io',
    ...workloadPermissions,
  ],
  steps: writeSteps,
  target: ({ app, env }) => ({ app, env }),
  plan,
  run: (run) => runWrites(run),
});
