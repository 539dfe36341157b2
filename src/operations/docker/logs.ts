import { z } from 'zod';
import { at, text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { Duration } from '../../core/values.ts';
import { findOrSay } from './find.ts';
import { DockerName, HostRef, hostOf } from './host.ts';

const Lines = z
  .number()
  .int()
  .min(1)
  .max(10_000)
  .describe('So many lines')
  .meta({ examples: [100] });
const Name = DockerName.describe('The container');

const colour = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[ -/]*[@-~]`, 'g');

/** Colours, and control characters but for tabs and line ends: they would paint over what a reader sees. */
const clean = (output: string): string => output.replace(colour, '').replace(/(?![\t\n])\p{Cc}/gu, '');

export const dockerLogs = defineOperation({
  name: 'docker-logs',
  summary: 'Show the end of a container’s log',
  effect: 'read',
  input: z.strictObject({
    name: Name,
    host: HostRef.optional(),
    lines: Lines.default(200),
    since: Duration.optional().describe('Only what was written within this time'),
  }),
  usage: '<name> [on <host>] [lines=<lines>] [since=<since>]',
  examples: ['web on build', 'web on build lines=50 since=10m'],
  routes: [
    route({
      method: 'GET',
      path: '/docker/hosts/:host/containers/:name/logs',
      summary: 'Log of a container',
      request: z.object({
        host: HostRef,
        name: Name,
        lines: z.coerce.number().pipe(Lines).optional(),
        since: Duration.optional(),
      }),
      input: (request) => request,
    }),
  ],
  needs: ['dockerHost'],
  steps: ['read'],
  target: () => ({}),
  plan: async (context, { name, host }) => ({
    summary: `log of ${name} on ${hostOf(context, host).name}`,
    changes: [],
    takesOver: [],
  }),
  run: async (run, { name, host: asked, lines, since }) => {
    const host = hostOf(run, asked);
    const found = await run.step('read', async ({ signal }) => {
      const live = await findOrSay(host, 'container', name, signal);
      const options = {
        lines,
        tty: at(live, 'Config', 'Tty') === true,
        ...(since !== undefined && { since: run.now() - since }),
      };
      return clean(await host.client.logs(text(live.Id), options, signal)).trimEnd();
    });
    const note = found === '' ? 'It wrote nothing.' : `the last ${found.split('\n').length} lines`;
    return { kind: 'text', title: `${name} on ${host.name}`, text: found, note };
  },
});
