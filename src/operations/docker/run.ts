import { z } from 'zod';
import type { DockerCall } from '../../core/docker-host.ts';
import { fault } from '../../core/errors.ts';
import { parseImage } from '../../core/image.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { Switch } from '../../core/values.ts';
import { checkAllowed } from './allowed.ts';
import { byDigest, identityOf, planPull } from './as-planned.ts';
import { doCalls } from './calls.ts';
import { bodyOf, changesOf } from './container-body.ts';
import { containerFields } from './container-fields.ts';
import { find, findOrSay } from './find.ts';
import { DockerName, HostRef, hostOf } from './host.ts';
import { settle } from './life.ts';

const Image = z.string().min(1).max(512).describe('The image; it is pulled where the host lacks it');
const fields = {
  image: Image,
  name: DockerName.describe('What it is called'),
  ...containerFields,
  privileged: Switch.optional().describe('With all rights of its host; only where shipmate.yaml allows it'),
  start: Switch.default(true).describe('“no” makes it and does not start it'),
};
const Input = z.strictObject({ ...fields, host: HostRef.optional() });

/** Without a tag Docker's API would pull every tag there is. */
function imageOf(image: string): string {
  const { tag, digest } = parseImage(image);
  return tag === undefined && digest === undefined ? `${image}:latest` : image;
}

export const dockerRun = defineOperation({
  name: 'docker-run',
  summary: 'Make a container on a Docker host and start it',
  effect: 'change',
  input: Input,
  usage:
    '<image> as <name> [on <host>] [ports=<ports>] [env=<env>] [mounts=<mounts>] [network=<network>] [memory=<memory>] [cpus=<cpus>] [restart=<restart>] [health=<health>] [start=<start>] [-- <command>…]',
  examples: [
    'registry.example.com/team/tool:v1 as tool on build memory=256Mi cpus=0.5 restart=unless-stopped',
    'redis:7 as cache on build ports=127.0.0.1:6379:6379 mounts=cache:/data',
    'busybox:1.37 as nap on build -- sleep 3600',
  ],
  routes: [
    route({
      method: 'POST',
      path: '/docker/hosts/:host/containers',
      summary: 'Make a container and start it',
      request: z.object({ ...fields, host: HostRef }),
      input: (request) => request,
    }),
  ],
  needs: ['dockerHost'],
  steps: ['do', 'settle'],
  limits: { steps: { do: 20 * 60_000, settle: 2 * 60_000 } },
  target: () => ({}),
  plan: async (context, { host: asked, start, ...wanted }) => {
    const { signal } = context;
    const host = hostOf(context, asked);
    const wish = { ...wanted, image: imageOf(wanted.image) };
    const { name, image, network } = wish;
    await checkAllowed(host, wish, signal);
    const [there, local, joined] = await Promise.all([
      find(host, 'container', name, signal),
      find(host, 'image', image, signal),
      network === undefined ? undefined : findOrSay(host, 'network', network, signal),
    ]);
    if (there) throw fault('OBJECT_EXISTS', { kind: 'container', name, where: host.name });
    const pull = local ? undefined : await planPull(host, image, signal);
    const made = {
      image: pull ? byDigest(image, pull.digest) : identityOf('image', local),
      ...(joined && { network: identityOf('network', joined) }),
    };
    const calls: DockerCall[] = [
      ...(pull ? [pull] : []),
      { kind: 'create', object: 'container', name, body: bodyOf(wish), ...made },
      ...(start ? [{ kind: 'act' as const, action: 'start' as const, name }] : []),
    ];
    return {
      summary: `${name} (${image}) on ${host.name}${start ? '' : ', not started'}`,
      changes: [...(pull ? [{ path: `image/${image}`, to: `pulled, ${pull.digest}` }] : []), ...changesOf(wish)],
      docker: { host: host.name, calls },
      takesOver: [],
      undo: { operation: 'docker-remove', input: { name, host: host.name, force: true } },
    };
  },
  run: async (run, { name, start }) => {
    const report = await doCalls(run);
    if (start) await settle(run, hostOf(run, run.plan.docker?.host), name);
    return report;
  },
});
