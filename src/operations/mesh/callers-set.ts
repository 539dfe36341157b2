import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { digestOf, type JsonObject } from '../../core/json.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { isOurs } from '../../core/ours.ts';
import { EnvRef, WorkloadRef } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { nameIn } from '../kubernetes/reading.ts';
import { planWrites, runWrites, writeSteps } from '../kubernetes/writes.ts';
import { policiesAbout, reachText } from './caller-words.ts';
import { CallerRef, sourceCalled } from './callers.ts';
import { meshList, meshObject, selectorOf } from './objects.ts';
import { meshed, workloadPermissions } from './workloads.ts';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE'];

/** Paths as Istio takes them: whole, or with a star at one end. */
const Path = z.string().regex(/^(\/[^*]*\*?|\*[^*]+)$/, 'must be a path such as /api/v1, /api/* or */health');

const Input = z.strictObject({
  to: WorkloadRef.describe('Who is called: an app, or a workload as KIND/NAME'),
  from: CallerRef,
  env: EnvRef,
  methods: z
    .array(
      z.preprocess(
        (word) => (typeof word === 'string' ? word.toUpperCase() : word),
        z.enum(methods, `must be of ${methods.join(', ')}`),
      ),
    )
    .min(1)
    .optional()
    .describe('HTTP methods, with commas between'),
  paths: z.array(Path).min(1).max(50).optional().describe('Paths, with commas between'),
  ports: z.array(z.number().int().min(1).max(65_535)).min(1).max(50).optional().describe('Ports of its pods'),
  fromEnv: EnvRef.optional().describe('The environment of who calls, where it is another one'),
});
type Input = z.output<typeof Input>;
type Action = 'ALLOW' | 'DENY';

const slug = (words: string) => words.toLowerCase().replace(/[^a-z0-9]+/g, '-');

/** `allow-api-to-web`; with methods, paths or ports a few letters that tell it from another. */
function policyName(action: Action, { to, from, fromEnv, methods, paths, ports }: Input): string {
  const limits = { methods, paths, ports };
  const more = methods || paths || ports ? [digestOf(JSON.parse(JSON.stringify(limits))).slice(0, 6)] : [];
  const source = fromEnv === undefined ? slug(from) : `${slug(fromEnv)}-${slug(from)}`;
  return [action.toLowerCase(), source, 'to', slug(to), ...more].join('-').slice(0, 253);
}

function ruleOf({ methods, paths, ports }: Input, source: JsonObject | undefined): JsonObject {
  const operation: JsonObject = {
    ...(methods && { methods }),
    ...(paths && { paths }),
    ...(ports && { ports: ports.map(String) }),
  };
  return { ...(source && { from: [{ source }] }), ...(Object.keys(operation).length > 0 && { to: [{ operation }] }) };
}

async function plan(context: PlanContext<'kube'>, action: Action, input: Input): Promise<Draft> {
  const { on, place, settings, signal } = context;
  const kube = on.kube(place.cluster);
  const [all, about, source] = await Promise.all([
    meshList(kube, 'AuthorizationPolicy', place.namespace, signal),
    meshed(kube, settings, { app: input.to, env: input.env }, signal),
    sourceCalled(context, input.from, input.fromEnv ?? input.env),
  ]);
  const name = policyName(action, input);
  const spec = { ...selectorOf(about.labels), action, rules: [ruleOf(input, source.source)] };
  const manifest = meshObject('AuthorizationPolicy', place.namespace, name, spec);
  const live = all.find((policy) => nameIn(policy) === name);
  if (live && !isOurs(live)) throw fault('NOT_OURS', { kind: 'AuthorizationPolicy', name });
  const planned = await planWrites(kube, [{ kind: 'apply', manifest }], signal);
  const before = policiesAbout(all, about.labels);
  const [from, to] = [reachText(before), reachText([...before.filter((policy) => policy !== live), manifest])];
  const shift = from === to || planned.changes.length === 0 ? [] : [{ path: `who may call ${place.app}`, from, to }];
  const shut = shift.length > 0 && action === 'ALLOW' ? `; everybody else is shut out from ${place.app}` : '';
  return {
    summary: `${input.from} → ${place.app}: ${action === 'ALLOW' ? 'allowed' : 'denied'}${shut}${source.note}`,
    ...planned,
    changes: [...planned.changes, ...shift],
    ...(!live && { undo: { operation: 'callers-drop', input: { name, env: input.env } } }),
  };
}

const note = 'Who calls is known by mTLS alone: calls in plain text count as nobody’s.';

const spec = (action: Action, word: string) =>
  ({
    effect: 'change',
    input: Input,
    usage: '<to> from <from> in <env> [methods=<methods>] [paths=<paths>] [ports=<ports>] [fromEnv=<fromEnv>]',
    routes: [
      route({
        method: 'PUT',
        path: `/callers/:namespace/:app/${word}`,
        summary: action === 'ALLOW' ? 'Let somebody call an app' : 'Forbid somebody to call an app',
        request: Input.omit({ env: true, to: true }).extend({ namespace: EnvRef, app: WorkloadRef }),
        input: ({ namespace, app, ...input }) => ({ ...input, to: app, env: namespace }),
      }),
    ],
    needs: ['kube'],
    permissions: ['get,list,create,patch authorizationpolicies.security.istio.io', ...workloadPermissions],
    steps: writeSteps,
    target: ({ to, env }: Input) => ({ app: to, env }),
    plan: (context: PlanContext<'kube'>, input: Input) => plan(context, action, input),
    run: (run: Parameters<typeof runWrites>[0]) => runWrites(run, note),
  }) as const;

export const callersAllow = defineOperation({
  ...spec('ALLOW', 'allow'),
  name: 'callers-allow',
  summary: 'Let an app be called: by an app, a service account or a namespace; all others are then shut out',
  examples: [
    'web from deployment/api in staging',
    'web from namespace/monitoring in staging methods=GET paths=/metrics',
  ],
});

export const callersDeny = defineOperation({
  ...spec('DENY', 'deny'),
  name: 'callers-deny',
  summary: 'Forbid somebody to call an app; this goes before all that is allowed',
  examples: ['web from namespace/legacy in staging', 'web from anywhere in staging paths=/admin/*'],
});
