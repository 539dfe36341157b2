import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { simpleSigning } from '../../core/in-toto.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { type Attached, judge, type TrustedKey } from '../../core/verification.ts';
import { pinnedImage } from '../../images/pinned.ts';
import { attest, readProofs } from '../../images/proof.ts';
import { askedBody, askedFields, resolveAsked } from './asked.ts';

/** Which of the two forms of a signature the key has not given yet: cosign 2 reads one, cosign 3 the other. */
function lacking(attached: readonly Attached[], digest: string, own: TrustedKey) {
  const has = (kind: Attached['kind']) =>
    judge(
      'signature',
      digest,
      [own],
      attached.filter((each) => each.kind === kind),
    ).kind === 'proven';
  return { simple: !has('simple'), bundle: !has('signed') };
}

export const sign = defineOperation({
  name: 'sign',
  summary: 'Sign an image of an app with Shipmate’s key',
  effect: 'change',
  input: z.strictObject(askedFields),
  usage: '<app>[:<tag>] [image=<image>]',
  examples: ['web:v2'],
  routes: [
    route({
      method: 'POST',
      path: '/docker/sign',
      summary: 'Sign an image',
      request: askedBody,
      input: (body) => body,
    }),
  ],
  needs: ['registry', 'attachments', 'signing'],
  steps: ['sign'],
  target: ({ app }) => ({ app }),
  plan: async (context, input) => {
    const own = await context.on.signing.own();
    const { reference, digest, short, ...rest } = await resolveAsked(context, input);
    const image = { reference, digest, short, ...rest };
    const attached = await readProofs(context.on.attachments, image, ['signature'], context.signal);
    const { simple, bundle } = lacking(attached, digest, own);
    return {
      summary: `${short} (${digest.slice(0, 19)})`,
      image: { reference, digest },
      changes: simple || bundle ? [{ path: 'signature', to: `by the key ${own.hint}` }] : [],
      images: simple || bundle ? [{ kind: 'sign', image: rest.pinned, digest, key: own.hint }] : [],
      takesOver: [],
    };
  },
  run: async (run) => {
    const { reference, digest } = run.plan.image ?? { reference: '', digest: '' };
    const image = pinnedImage(reference, digest);
    await run.step('sign', async ({ signal, startedAt }) => {
      const { attachments, signing } = run.on;
      const own = await signing.own();
      const [call] = run.plan.images ?? [];
      if (call?.kind === 'sign' && call.key !== own.hint)
        throw fault('ANOTHER_BY_NOW', { kind: 'signing key', name: own.name });
      const still = lacking(await readProofs(attachments, image, ['signature'], signal), digest, own);
      if (still.simple) {
        const payload = simpleSigning(image);
        const signature = (await signing.sign(payload)).toString('base64');
        await attachments.add(image.pinned, { kind: 'simple', payload, signature }, startedAt, signal);
      }
      if (still.bundle) await attest(run.on, image, { proof: 'signature', at: startedAt }, signal);
    });
    return { kind: 'changed', objects: [image.short], note: `Signed as ${digest}.` };
  },
});
