import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import type { HarborCall } from '../../core/harbor.ts';
import { at, text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { shortId } from '../docker/reading.ts';
import { callSteps, doCalls } from './calls.ts';
import { artifactCalled, artifactPath, Reference, Repository, readArtifact, Tag, tagsOf } from './names.ts';

const fields = { repository: Repository, reference: Reference, tag: Tag.describe('The new tag') };

export const harborTag = defineOperation({
  name: 'harbor-tag',
  summary: 'Give an image of Harbor another tag, or move a tag to it',
  effect: 'change',
  input: z.strictObject(fields),
  usage: '<repository> <reference> as <tag>',
  examples: ['team/web v1 as stable'],
  routes: [
    route({
      method: 'POST',
      path: '/harbor/tags',
      summary: 'Tag an image',
      request: z.object(fields),
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: callSteps,
  target: () => ({}),
  plan: async ({ on, signal }, { repository, reference, tag }) => {
    const [wanted, holder] = await Promise.all([
      artifactCalled(on, repository, reference, signal),
      readArtifact(on, repository, tag, signal),
    ]);
    const [to, from] = [text(wanted.digest), text(holder?.digest)];
    const path = [...artifactPath(repository, to), 'tags'];
    const away: HarborCall = {
      method: 'DELETE',
      path: [...artifactPath(repository, from), 'tags', tag],
      done: `${repository}:${tag}: taken off ${shortId(from)}`,
    };
    const put: HarborCall = {
      method: 'POST',
      path,
      body: { name: tag },
      done: `${repository}:${tag}: on ${shortId(to)}`,
    };
    const same = from === to;
    return {
      summary: same ? `${repository}:${tag} is that already` : `${repository}:${tag} → ${shortId(to)}`,
      changes: same ? [] : [{ path: `tag/${repository}:${tag}`, ...(from && { from }), to }],
      harbor: same ? [] : [...(from ? [away] : []), put],
      takesOver: [],
      undo: {
        operation: from ? 'harbor-tag' : 'harbor-untag',
        input: { repository, tag, ...(from && { reference: from }) },
      },
    };
  },
  run: (run, { repository, tag }) =>
    doCalls(run, async ({ path }, signal) => {
      const there = await readArtifact(run.on, repository, tag, signal);
      return there !== undefined && text(there.digest) === path.at(-2);
    }),
});

export const harborUntag = defineOperation({
  name: 'harbor-untag',
  summary: 'Take a tag off an image of Harbor; the image stays',
  effect: 'change',
  input: z.strictObject({ repository: Repository, tag: Tag }),
  usage: '<repository> <tag>',
  examples: ['team/web v1'],
  routes: [
    route({
      method: 'DELETE',
      path: '/harbor/tags',
      summary: 'Take a tag off an image',
      request: z.object({ repository: Repository, tag: Tag }),
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: callSteps,
  target: () => ({}),
  plan: async ({ on, signal, settings }, { repository, tag }) => {
    const artifact = await artifactCalled(on, repository, tag, signal);
    const digest = text(artifact.digest);
    const immutable = Array.isArray(artifact.tags)
      ? artifact.tags.some((each) => at(each, 'name') === tag && at(each, 'immutable') === true)
      : false;
    if (immutable)
      throw fault('PROTECTED', {
        kind: 'tag',
        name: `${repository}:${tag}`,
        why: 'a rule of its project makes it immutable',
        way: `Change that rule in ${settings.harbor?.url ?? 'Harbor'} first.`,
      });
    const last = tagsOf(artifact).length === 1 ? '; it has no other, and retention may delete it' : '';
    return {
      summary: `${repository}:${tag} → no such tag`,
      changes: [{ path: `tag/${repository}:${tag}`, from: digest, to: `no tag${last}` }],
      harbor: [
        {
          method: 'DELETE',
          path: [...artifactPath(repository, digest), 'tags', tag],
          done: `${repository}:${tag}: taken off`,
        },
      ],
      takesOver: [],
      undo: { operation: 'harbor-tag', input: { repository, reference: digest, tag } },
    };
  },
  run: (run) => doCalls(run),
});
