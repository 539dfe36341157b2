import { z } from 'zod';
import { fault as problem } from '../../core/errors.ts';
import { text } from '../../core/json.ts';
import { refOf, refOfWrite } from '../../core/kube.ts';
import { spanText } from '../../core/moments.ts';
import { Label } from '../../core/name-pattern.ts';
import { defineOperation, type PlanContext, type RunContext, route } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import type { Report } from '../../core/report.ts';
import { Duration, Percentage } from '../../core/values.ts';
import { doWrites, nameOf, planWrites, type Wish } from '../kubernetes/writes.ts';
import { injection, removalOf, wrongText } from './fault-edits.ts';
import { clear, held } from './fault-hold.ts';
import { chosenRoutes, freshRoute } from './find-routes.ts';
import { keepersText } from './objects.ts';
import { RouteName } from './settings.ts';
import { meshOf, trafficPermissions } from './traffic-plan.ts';

const hour = 3_600_000;
const longest = 12 * hour;

const For = Duration.default(600_000)
  .refine((ms) => ms <= longest, 'must be at most 12h: a fault that is forgotten is an outage')
  .describe('When it goes away by itself, such as 10m')
  .meta({ examples: ['10m'] });

const fields = {
  delay: Duration.optional().describe('So much later they are answered'),
  abort: z.number().int().min(200).max(599).optional().describe('They are answered with this status, and go nowhere'),
  percent: Percentage.default(100).describe('So many of the requests'),
  header: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,100}$/, 'must be the name of a header')
    .optional()
    .describe('Only requests with this header'),
  value: z.string().min(1).max(200).optional().describe('And with this value of it'),
  for: For,
  route: RouteName.optional(),
};
const Input = z.strictObject({
  service: Label.describe('The Service').meta({ examples: ['web'] }),
  env: EnvRef,
  ...fields,
});
type Input = z.output<typeof Input>;

/** @throws Fault BAD_INPUT where nothing would go wrong, or a value has no header */
function checkWrong({ delay, abort, header, value }: Input) {
  if (delay === undefined && abort === undefined)
    throw problem('BAD_INPUT', { problem: 'Say what is to go wrong: delay=2s, abort=503, or both.' });
  if (value !== undefined && header === undefined)
    throw problem('BAD_INPUT', { problem: 'A value needs the header that has it: header=x-user value=ana.' });
}

async function targetOf(context: PlanContext<'kube'>, { service, route }: Pick<Input, 'service' | 'route'>) {
  const mesh = await meshOf(context, service);
  const chosen = chosenRoutes(mesh.routes, service, route);
  const [target = freshRoute(mesh.virtualServices, service, mesh.namespace), ...others] = chosen;
  if (others.length > 0)
    throw problem('BAD_INPUT', { problem: 'A fault is put on one route: name it, or ask for each.' });
  return { mesh, target };
}

async function plan(context: PlanContext<'kube'>, input: Input): Promise<Draft> {
  checkWrong(input);
  const { service, env } = input;
  const { mesh, target } = await targetOf(context, input);
  const edits = injection(target, input, `/ship fault off ${service} in ${env}`);
  const wish: Wish = { kind: 'edit', ref: refOf(target.object), edits, base: target.object };
  const planned = await planWrites(mesh.kube, [wish], context.signal);
  return {
    summary: `${target.label}: ${wrongText(input)}, for ${spanText(input.for)}${keepersText([target.object])}`,
    ...planned,
    undo: { operation: 'fault-off', input: { service, env, route: target.label } },
  };
}

async function hold(run: RunContext<'kube', 'write' | 'hold' | 'clear'>, input: Input): Promise<Report> {
  const kube = run.on.kube(run.site.cluster);
  const [write] = run.plan.writes ?? [];
  if (!write) return { kind: 'unchanged' };
  const until = await run.step('write', async (step) => {
    await doWrites(run, kube, step);
    return step.startedAt + input.for;
  });
  const stopped = await run.step('hold', (step) => held(step, until, run.now));
  const ref = refOfWrite(write);
  const label = text(run.plan.undo?.input.route);
  const cleared = await run.step('clear', (step) =>
    clear(kube, ref, (live) => removalOf(live, label, input, run.id), run.id, step),
  );
  const when = stopped ? 'as somebody stopped it' : `after ${spanText(input.for)}`;
  const note = cleared ? `Taken away again ${when}.` : 'Somebody took it away before.';
  return { kind: 'changed', objects: [nameOf(ref)], note };
}

export const fault = defineOperation({
  name: 'fault',
  summary: 'Let requests to a Service go wrong on purpose, for a while; it is taken away by itself',
  effect: 'change',
  input: Input,
  usage:
    '<service> in <env> for <for> [delay=<delay>] [abort=<abort>] [percent=<percent>] [header=<header>] [value=<value>]',
  examples: ['web delay=2s percent=10 for 10m in staging', 'web abort=503 header=x-test value=yes for 5m in staging'],
  routes: [
    route({
      method: 'POST',
      path: '/traffic/:namespace/:service/fault',
      summary: 'Let requests go wrong on purpose, for a while',
      request: z.object({ namespace: EnvRef, service: Label, ...fields }),
      input: ({ namespace, ...rest }) => ({ ...rest, env: namespace }),
    }),
  ],
  needs: ['kube'],
  permissions: trafficPermissions,
  steps: ['write', 'hold', 'clear'],
  limits: { run: 4 * longest, steps: { hold: longest + hour, clear: 2 * longest } },
  steered: () => true,
  alongside: true,
  neverUnapproved: true,
  target: ({ env }) => ({ env }),
  plan,
  run: hold,
});
