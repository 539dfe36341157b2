import { z } from 'zod';
import { actorId, personOf } from '../../core/actor.ts';
import { appEntry, environmentEntry, environmentNames } from '../../core/apps.ts';
import { type Fault, fault } from '../../core/errors.ts';
import { defineOperation, type RunContext, route } from '../../core/operation.ts';
import { AppRef, EnvRef, WorkloadRef } from '../../core/place.ts';
import { ruleText } from '../../core/policy.ts';
import { mayRead } from '../../core/reading.ts';
import type { Run } from '../../core/run.ts';
import type { Settings } from '../../core/settings.ts';
import { explainApp, explainPermissions } from '../explain/explain.ts';
import { discoverPermissions } from '../workloads/discover.ts';
import { isAnEnvironment, meantBy } from '../workloads/meant.ts';

type WhyRun = RunContext<'runs' | 'kube' | 'delegations', 'read'>;

const time = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

/** The patterns of shipmate.yaml that made an app or environment of a name. */
function coveredRows(settings: Settings, { place, site }: Run): string[][] {
  const { app, env } = { app: undefined, ...site, ...place };
  const [ofApp, ofEnv] = [app && appEntry(settings, app)?.key, env && environmentEntry(settings, env)?.key];
  return [
    ...(ofApp && ofApp !== app ? [['', `${app} is an app by the pattern “${ofApp}”`]] : []),
    ...(ofEnv && ofEnv !== env ? [['', `${env} is an environment by the pattern “${ofEnv}”`]] : []),
  ];
}

function explained(settings: Settings, run: Run): string[][] {
  const name = (actor: Run['actor']) => personOf(settings, actor) ?? actorId(actor);
  const { verdict, breakGlass, fault: problem, cancelled } = run;
  return [
    [time(run.createdAt), `${name(run.actor)} asked for it over ${run.origin.surface}`],
    ...(verdict ? [['', ruleText(settings, verdict)]] : []),
    ...coveredRows(settings, run),
    ...(breakGlass ? [['', `the glass was broken: “${breakGlass.reason}”`]] : []),
    ...run.decisions.map(({ actor, kind, at, reason, digest }) => [
      time(at),
      `${name(actor)}: ${kind} of plan ${digest.slice(0, 12)}${reason ? `, “${reason}”` : ''}`,
    ]),
    ...(cancelled
      ? [
          [
            time(cancelled.at),
            `${name(cancelled.actor)} stopped it${cancelled.reason ? `: “${cancelled.reason}”` : ''}`,
          ],
        ]
      : []),
    ...(breakGlass?.reviewed ? [[time(breakGlass.reviewed.at), `${name(breakGlass.reviewed.actor)} reviewed it`]] : []),
    ...(problem ? [[time(run.updatedAt), `${problem.code}: ${problem.message}`]] : []),
    [time(run.updatedAt), `it is ${run.state}`],
  ];
}

const missingEnv = (app: string, env: string, said: string) =>
  fault('BAD_INPUT', { problem: `${said}Where? Say the environment too: /ship why ${app} in ${env}` });

/** What is said of a name that only a pattern makes an app: it covers the ids of runs, and typing errors, as well. */
async function whichIsMeant(run: WhyRun, name: string, env: string): Promise<Fault> {
  const noRun = 'There is no such run that you may see';
  const meant = await meantBy(run, name);
  if (meant.kind === 'environment') return isAnEnvironment(name);
  if (meant.kind === 'nothing' && meant.near !== '')
    return fault('BAD_INPUT', { problem: `${noRun}, and nothing runs by the name ${name}.${meant.near}` });
  return missingEnv(name, meant.kind === 'runs' ? meant.env : env, `${noRun}. `);
}

/** The run of that id. Apps without an environment land here too, and are asked where. */
async function explainRun(run: WhyRun, id: string) {
  const { on, settings, actor, now } = run;
  const [other, delegations] = await Promise.all([on.runs.read(id), on.delegations.all()]);
  if (other && mayRead(run, other, actor, { delegations, now: now() })) return explained(settings, other);
  const entry = appEntry(settings, id);
  if (entry === undefined && !id.includes('/')) throw fault('UNKNOWN_RUN', { id });
  const [first = 'ENVIRONMENT'] = environmentNames(settings);
  throw entry === undefined || entry.key === id ? missingEnv(id, first, '') : await whichIsMeant(run, id, first);
}

export const why = defineOperation({
  name: 'why',
  summary: 'Say what is wrong with an app and what to do; or explain a run',
  effect: 'read',
  input: z.strictObject({
    what: WorkloadRef.describe('An app, a workload as KIND/NAME, or a run’s id as its message shows it'),
    env: EnvRef.optional(),
  }),
  usage: '<what> [in <env>]',
  examples: ['web in staging', 'statefulset/db in production', 'k7m2p9qa'],
  routes: [
    route({
      method: 'GET',
      path: '/deployments/:namespace/:name/explanation',
      summary: 'What is wrong with a deployment, why, and what to do',
      request: z.object({ namespace: EnvRef, name: AppRef }),
      input: ({ name, namespace }) => ({ what: name, env: namespace }),
    }),
  ],
  needs: ['runs', 'kube', 'order', 'delegations'],
  permissions: [...explainPermissions, ...discoverPermissions, 'list,watch namespaces'],
  steps: ['read'],
  target: ({ what, env }) => (env === undefined ? {} : { app: what, env }),
  plan: async (_context, { what, env }) => ({
    summary: env === undefined ? `run ${what}` : `${what} in ${env}`,
    changes: [],
    takesOver: [],
  }),
  run: async (run, { what, env }) => {
    if (env !== undefined) return await run.step('read', ({ signal }) => explainApp(run, signal));
    const rows = await run.step('read', () => explainRun(run, what));
    return { kind: 'table', title: `Why run ${what} went as it did`, columns: ['when (UTC)', 'what'], rows };
  },
});
