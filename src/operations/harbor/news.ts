import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { type JsonObject, text } from '../../core/json.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { AppRef } from '../../core/place.ts';
import type { Report } from '../../core/report.ts';
import { Switch } from '../../core/values.ts';
import { agoText, bytesText, number, shortId } from '../docker/reading.ts';
import { artifactCalled, partsOf, Reference, Repository, tagsOf } from './names.ts';
import { overviewOf, overviewText } from './overview.ts';
import { quotaProject, quotasOf, quotaText } from './quotas.ts';

const Input = z.strictObject({
  repository: Repository,
  reference: Reference.optional(),
  about: z
    .enum(['push', 'scan', 'quota'])
    .default('push')
    .describe('What is told: an image, its scan, or its project’s quota'),
  aloud: Switch.default(false).describe('Told to a channel, not to you alone'),
  app: AppRef.optional().describe('Whose channel it is told to, where nobody asked in one'),
});
type Input = z.output<typeof Input>;
type On = PlanContext<'harbor'>['on'];

function pushNote(repository: string, artifact: JsonObject, now: number): string {
  const name = `${repository}:${tagsOf(artifact).join(', ') || shortId(artifact.digest)}`;
  const size = bytesText(number(artifact.size));
  const pushed = agoText(artifact.push_time, now);
  return `${name} is in Harbor (${size}, pushed ${pushed === '' ? 'just now' : `${pushed} ago`}); scan: ${overviewText(overviewOf(artifact))}.`;
}

/** Read in Harbor itself, whoever said it first. */
async function told(
  on: On,
  { repository, reference, about }: Input,
  now: number,
  signal: AbortSignal,
): Promise<Report> {
  const { project } = partsOf(repository);
  if (about === 'quota') {
    const quota = (await quotasOf(on, signal)).find((each) => quotaProject(each) === project);
    const note = quota
      ? `The project ${project} of Harbor holds ${quotaText(quota)}.`
      : `The project ${project} of Harbor has no quota.`;
    return { kind: 'text', title: `Quota of ${project}`, text: note, note };
  }
  if (reference === undefined) throw fault('BAD_INPUT', { problem: 'harbor news: which tag or digest?' });
  const artifact = await artifactCalled(on, repository, reference, signal);
  const name = `${repository}:${tagsOf(artifact)[0] ?? shortId(artifact.digest)}`;
  const note =
    about === 'scan'
      ? `Harbor’s scan of ${name}: ${overviewText(overviewOf(artifact))}.`
      : pushNote(repository, artifact, now);
  const whole = `${note}\n${text(artifact.digest)}`;
  return { kind: 'text', title: name, text: whole, note };
}

export const harborNews = defineOperation({
  name: 'harbor-news',
  summary: 'Tell of an image in Harbor, its scan, or its project’s quota; Harbor’s webhooks ask for it by themselves',
  effect: 'read',
  input: Input,
  usage: '<repository> [<reference>] [about=<about>]',
  examples: ['team/web v1', 'team/web v1 about=scan', 'team/web about=quota'],
  routes: [
    route({
      method: 'GET',
      path: '/harbor/news',
      summary: 'What there is to tell of an image',
      request: Input.omit({ app: true, aloud: true }),
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: ['read'],
  openly: ({ aloud }) => aloud,
  target: ({ app }) => (app === undefined ? {} : { app }),
  plan: async (_context, { repository, reference }) => ({
    summary: `news of ${[repository, reference].filter(Boolean).join(':')}`,
    changes: [],
    takesOver: [],
  }),
  run: async (run, input) => await run.step('read', ({ signal }) => told(run.on, input, run.now(), signal)),
});
