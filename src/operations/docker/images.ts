import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { parseImage } from '../../core/image.ts';
import { type JsonObject, text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { checkImage } from './allowed.ts';
import { identityOf, planPull } from './as-planned.ts';
import { callSteps, doCalls } from './calls.ts';
import { all, find, findOrSay } from './find.ts';
import { HostRef, hostOf } from './host.ts';
import { ageOf, bytesText, nameOf, number, shortId, words } from './reading.ts';
import { hostTable } from './table.ts';

const Image = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[^-\s][^\s]*$/, 'must be an image')
  .describe('The image')
  .meta({ examples: ['web:v1'] });

const namesOf = (image: JsonObject) => words(image.RepoTags).filter((tag) => tag !== '<none>:<none>');
const usersOf = (containers: readonly JsonObject[], id: string) =>
  containers.filter(({ ImageID: image }) => image === id).map(nameOf);

export const dockerImages = hostTable({
  kind: 'images',
  summary: 'Show a Docker host’s images, largest first, and who uses them',
  read: (host, signal) => Promise.all([all(host, 'image', signal), all(host, 'container', signal)]),
  columns: ['Image', 'Size', 'Used by', 'Age'],
  rows: ([images, containers], now) =>
    images
      .toSorted((a, b) => number(b.Size) - number(a.Size))
      .map((image) => [
        namesOf(image).join(', ') || `${shortId(image.Id)} (no name)`,
        bytesText(number(image.Size)),
        usersOf(containers, text(image.Id)).join(', '),
        ageOf(image.Created, now),
      ]),
});

export const dockerPull = defineOperation({
  name: 'docker-pull',
  summary: 'Pull an image to a Docker host',
  effect: 'change',
  input: z.strictObject({ image: Image, host: HostRef.optional() }),
  usage: '<image> [on <host>]',
  examples: ['registry.example.com/team/web:v2 on build'],
  routes: [
    route({
      method: 'POST',
      path: '/docker/hosts/:host/images',
      summary: 'Pull an image',
      request: z.object({ host: HostRef, image: Image }),
      input: (request) => request,
    }),
  ],
  needs: ['dockerHost'],
  steps: callSteps,
  limits: { steps: { do: 20 * 60_000 } },
  target: () => ({}),
  plan: async (context, { image: said, host: asked }) => {
    const host = hostOf(context, asked);
    const { tag, digest } = parseImage(said);
    const image = tag === undefined && digest === undefined ? `${said}:latest` : said;
    checkImage(host, image);
    const [there, pull] = await Promise.all([
      find(host, 'image', image, context.signal),
      planPull(host, image, context.signal),
    ]);
    return {
      summary: `${image} to ${host.name}`,
      changes: [{ path: `image/${image}`, ...(there && { from: shortId(there.Id) }), to: `pulled, ${pull.digest}` }],
      docker: { host: host.name, calls: [pull] },
      takesOver: [],
    };
  },
  run: doCalls,
});

export const dockerImageRemove = defineOperation({
  name: 'docker-image-remove',
  summary: 'Delete an image of a Docker host that no container uses',
  effect: 'change',
  input: z.strictObject({ image: Image, host: HostRef.optional() }),
  usage: '<image> [on <host>]',
  examples: ['old:v1 on build'],
  routes: [
    route({
      method: 'DELETE',
      path: '/docker/hosts/:host/images',
      summary: 'Delete an image',
      request: z.object({ host: HostRef, image: Image }),
      input: (request) => request,
    }),
  ],
  needs: ['dockerHost'],
  steps: callSteps,
  limits: { steps: { do: 2 * 60_000 } },
  target: () => ({}),
  plan: async (context, { image, host: asked }) => {
    const host = hostOf(context, asked);
    const live = await findOrSay(host, 'image', image, context.signal);
    const users = usersOf(await all(host, 'container', context.signal), text(live.Id));
    const others = words(live.RepoTags).filter((tag) => tag !== image);
    if (users.length > 0 && others.length === 0)
      throw fault('STILL_USED', {
        kind: 'image',
        name: image,
        users: users.join(', '),
        way: 'Remove those containers first.',
      });
    const freed = others.length > 0 ? 'only the name: it has others' : bytesText(number(live.Size));
    return {
      summary: `${image} on ${host.name} → deleted`,
      changes: [{ path: `image/${image}`, from: `${shortId(live.Id)}, ${freed}`, to: 'deleted' }],
      docker: {
        host: host.name,
        calls: [
          {
            kind: 'remove',
            object: 'image',
            id: image,
            name: image,
            was: identityOf('image', live),
            force: false,
            volumes: false,
          },
        ],
      },
      takesOver: [],
    };
  },
  run: doCalls,
});
