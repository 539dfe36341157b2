import { z } from 'zod';
import { allowsCommand, commandText } from '../../core/command-pattern.ts';
import { Fault, fault } from '../../core/errors.ts';
import { at, text } from '../../core/json.ts';
import type { ExecEnd } from '../../core/kube.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { Words } from '../pods/command-words.ts';
import { findOrSay } from './find.ts';
import { DockerName, HostRef, hostOf, type OnHost } from './host.ts';

/** @throws Fault NOT_ALLOW_LISTED where the host's `exec.allow` has no pattern for it */
function allowedExec({ name, settings: { exec } }: OnHost, command: readonly string[]) {
  if (exec?.allow.some((pattern) => allowsCommand(pattern, command))) return exec;
  const allowed = exec ? exec.allow.map((pattern) => `“${pattern}”`).join(', ') : 'no command at all';
  const what = `The command “${commandText(command)}”`;
  throw fault('NOT_ALLOW_LISTED', {
    what,
    env: `the Docker host ${name}`,
    setting: `dockerHosts.${name}.exec.allow`,
    allowed,
  });
}

/** What the audit log has of it: never the output, but enough to prove later which output it was. */
function transcript(where: string, words: readonly string[], end: ExecEnd | undefined, problem: string | undefined) {
  const how = problem ?? (end?.timedOut ? 'time limit' : `exit code ${end?.exitCode ?? 'unknown'}`);
  const output = end ? `; ${end.bytes} bytes of output, sha256:${end.sha256}` : '';
  return `ran “${commandText(words)}” in ${where}: ${how}${output}`;
}

const fields = { name: DockerName.describe('The container'), command: Words };

export const dockerExec = defineOperation({
  name: 'docker-exec',
  summary: 'Run a command in a container of a Docker host, of those that shipmate.yaml allows',
  effect: 'change',
  input: z.strictObject({ ...fields, host: HostRef.optional() }),
  usage: '<name> [on <host>] -- <command>…',
  examples: ['web on build -- cat /etc/hosts'],
  routes: [
    route({
      method: 'POST',
      path: '/docker/hosts/:host/containers/:name/exec',
      summary: 'Run a command in a container',
      request: z.object({ ...fields, host: HostRef }),
      input: (request) => request,
    }),
  ],
  needs: ['dockerHost'],
  steps: ['run'],
  atMostOnce: ['run'],
  limits: { steps: { run: 11 * 60_000 } },
  target: () => ({}),
  plan: async (context, { name, host: asked, command: words }) => {
    const host = hostOf(context, asked);
    const { seconds, kilobytes } = allowedExec(host, words);
    const live = await findOrSay(host, 'container', name, context.signal);
    if (at(live, 'State', 'Running') !== true)
      throw fault('NOT_FOR_KIND', {
        operation: 'docker exec',
        what: name,
        why: `it is ${text(at(live, 'State', 'Status'))}`,
        instead: `Start it first: /ship docker start ${name} on ${host.name}`,
      });
    const command = { pod: name, uid: text(live.Id), container: host.name, words, seconds, kilobytes };
    return {
      summary: `runs “${commandText(words)}” in ${name} on ${host.name}`,
      changes: [{ path: `container/${name}`, to: commandText(words) }],
      command,
      takesOver: [],
    };
  },
  run: async (run) => {
    const { command } = run.plan;
    if (!command) throw fault('INTERNAL', { problem: 'a plan without a command', run: run.id });
    const { pod: name, uid, container, words, seconds, kilobytes } = command;
    const host = hostOf(run, container);
    allowedExec(host, words);
    return await run.step('run', async ({ signal, record, startedAt, note }) => {
      note(commandText(words));
      let end: ExecEnd | undefined;
      let problem: string | undefined;
      try {
        end = await host.client.exec(
          uid,
          { command: words, limitBytes: kilobytes * 1_024, ms: seconds * 1_000 },
          signal,
        );
      } catch (thrown) {
        // That it could not be run is how it ended, and known: the step is done.
        if (!(thrown instanceof Fault) || signal.aborted) throw thrown;
        problem = thrown.message;
      }
      record(transcript(`${name} on ${host.name}`, words, end, problem));
      const { output = '', cut = false, timedOut = false, bytes = 0, sha256 = '', exitCode } = end ?? {};
      return {
        kind: 'executed' as const,
        ...{ pod: name, container: host.name, command: commandText(words), timedOut, text: output, cut, bytes, sha256 },
        ...(exitCode !== undefined && { exitCode }),
        ...(problem !== undefined && { problem }),
        seconds: Math.round((run.now() - startedAt) / 100) / 10,
      };
    });
  },
});
