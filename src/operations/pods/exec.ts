import { z } from 'zod';
import { environmentEntry } from '../../core/apps.ts';
import { allowsCommand, commandText } from '../../core/command-pattern.ts';
import { Fault, fault } from '../../core/errors.ts';
import type { ExecEnd } from '../../core/kube.ts';
import { defineOperation, type PlanContext, type RunContext, route } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import type { Command } from '../../core/plan.ts';
import type { Report } from '../../core/report.ts';
import { Words } from './command-words.ts';
import { findPermissions, podRef } from './find.ts';
import { atBlank } from './log-lines.ts';
import { anyPod, oneContainer, uidOf } from './one-pod.ts';
import { nameIn } from './raw.ts';
import { Container, PodPart, Subject, targetOf } from './subject.ts';

/** @throws Fault NOT_ALLOW_LISTED where the environment's `exec.allow` has no pattern for it */
function checkAllowed({ settings, site }: Pick<PlanContext<'kube'>, 'settings' | 'site'>, command: readonly string[]) {
  const exec = environmentEntry(settings, site.env)?.its.exec;
  const setting = `environments.${site.env}.exec.allow`;
  if (exec?.allow.some((pattern) => allowsCommand(pattern, command))) return exec;
  const allowed = exec ? exec.allow.map((pattern) => `“${pattern}”`).join(', ') : 'no command at all';
  throw fault('NOT_ALLOW_LISTED', { what: `The command “${commandText(command)}”`, env: site.env, setting, allowed });
}

/** What the audit log has of it: never the output, but enough to prove later which output it was. */
function transcript({ pod, container, words }: Command, end: ExecEnd | undefined, problem: string | undefined): string {
  const how = problem ?? (end?.timedOut ? 'time limit' : `exit code ${end?.exitCode ?? 'unknown'}`);
  const output = end ? `; ${end.bytes} bytes of output, sha256:${end.sha256}` : '';
  return `ran “${commandText(words)}” in ${pod} (${container}): ${how}${output}`;
}

async function execute(run: RunContext<'kube', 'check' | 'run'>, command: Command): Promise<Report> {
  const { pod, container, words, seconds, kilobytes } = command;
  return await run.step('run', async ({ signal, record, startedAt, note }) => {
    const ref = podRef(run.site.namespace, pod);
    const options = { container, command: words, limitBytes: kilobytes * 1_024, ms: seconds * 1_000 };
    let end: ExecEnd | undefined;
    let problem: string | undefined;
    note(commandText(words));
    try {
      end = await run.on.kube(run.site.cluster).exec(ref, options, signal);
    } catch (thrown) {
      // That it could not be run is how it ended, and known: the step is done.
      if (!(thrown instanceof Fault) || signal.aborted) throw thrown;
      problem = thrown.message;
    }
    record(transcript(command, end, problem));
    const { output = '', cut = false, timedOut = false, bytes = 0, sha256 = '', exitCode } = end ?? {};
    return {
      kind: 'executed' as const,
      ...{
        pod,
        container,
        command: commandText(words),
        timedOut,
        text: cut ? atBlank(output, output.length - 1) : output,
        cut,
        bytes,
        sha256,
      },
      ...(exitCode !== undefined && { exitCode }),
      ...(problem !== undefined && { problem }),
      seconds: Math.round((run.now() - startedAt) / 100) / 10,
    };
  });
}

const Input = z.strictObject({
  app: Subject,
  env: EnvRef,
  pod: PodPart.optional(),
  container: Container.optional(),
  command: Words,
});

export const exec = defineOperation({
  name: 'exec',
  summary: 'Run a command in a container, of those that shipmate.yaml allows',
  effect: 'change',
  input: Input,
  usage: '<app> in <env> [pod=<pod>] [container=<container>] -- <command>…',
  examples: ['web in staging -- cat /etc/hosts', 'web in staging pod=x2v8k -- ls /var/log'],
  routes: [
    route({
      method: 'POST',
      path: '/pods/:namespace/:name/exec',
      summary: 'Run a command in a pod',
      request: z.object({ namespace: EnvRef, name: ObjectName, container: Container.optional(), command: Words }),
      input: ({ namespace, name, ...rest }) => ({ ...rest, env: namespace, app: `pod/${name}` }),
    }),
  ],
  needs: ['kube'],
  permissions: [...findPermissions, 'get,create pods/exec'],
  steps: ['check', 'run'],
  atMostOnce: ['run'],
  limits: { steps: { run: 11 * 60_000 } },
  target: targetOf,
  plan: async (context, { app, pod: part, container, command: words }) => {
    const { seconds, kilobytes } = checkAllowed(context, words);
    const pod = await anyPod(context, { app, pod: part });
    const command = { pod: nameIn(pod), uid: uidOf(pod), container: oneContainer(context, pod, { app, container }) };
    return {
      summary: `runs “${commandText(words)}” in ${command.pod} (${command.container})`,
      changes: [{ path: `${command.pod} ${command.container}`, to: commandText(words) }],
      command: { ...command, words, seconds, kilobytes },
      takesOver: [],
    };
  },
  run: async (run) => {
    const { command } = run.plan;
    if (!command) throw fault('INTERNAL', { problem: 'a plan without a command', run: run.id });
    await run.step('check', async ({ signal }) => {
      checkAllowed(run, command.words);
      const { namespace, cluster } = run.site;
      const live = await run.on.kube(cluster).read(podRef(namespace, command.pod), signal);
      const near = ' It was there when this was planned.';
      if (uidOf(live) !== command.uid)
        throw fault('NO_SUCH_OBJECT', { kind: 'Pod', name: command.pod, where: namespace, near });
    });
    return await execute(run, command);
  },
});
