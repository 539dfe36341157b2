import { z } from 'zod';
import { environmentEntry } from '../../core/apps.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import type { Report } from '../../core/report.ts';
import type { Judgement, Proof, TrustedKey } from '../../core/verification.ts';
import { type PinnedImage, pinnedImage } from '../../images/pinned.ts';
import { faultOf, judgeAll } from '../../images/proof.ts';
import { askedBody, askedFields, resolveAsked } from './asked.ts';

export const proofs = ['signature', 'scan', 'sbom', 'decision'] as const satisfies readonly Proof[];

const shortWords = {
  none: 'none',
  'foreign-key': 'by a key that is not trusted',
  altered: 'altered after it was signed',
  'other-digest': 'for another image',
};

const resultOf = (judgement: Judgement): string => (judgement.kind === 'proven' ? 'valid' : shortWords[judgement.why]);

/** Whom an environment trusts, and with what; without one, Shipmate's own key and its signature. */
async function demandsOf(
  { on, settings }: Pick<PlanContext<'signing'>, 'on' | 'settings'>,
  env: string | undefined,
): Promise<{ keys: TrustedKey[]; require: readonly Proof[]; who: string }> {
  const verify = env === undefined ? undefined : environmentEntry(settings, env)?.its.verify;
  if (verify) return { keys: await on.signing.trusted(verify.keys), require: verify.require, who: env ?? '' };
  return { keys: [await on.signing.own()], require: ['signature'], who: env ?? 'Shipmate' };
}

/**
 * Looks at every proof of an image.
 * @throws Fault IMAGE_UNPROVEN, IMAGE_FOREIGN_KEY, IMAGE_ALTERED, IMAGE_OTHER_DIGEST for one that is required
 */
export async function verifiedRows(
  attachments: PlanContext<'attachments'>['on']['attachments'],
  image: PinnedImage,
  { keys, require, who }: { keys: readonly TrustedKey[]; require: readonly Proof[]; who: string },
  signal: AbortSignal,
): Promise<string[][]> {
  const found = await judgeAll(attachments, image, keys, proofs, signal);
  for (const judgement of found)
    if (judgement.kind === 'unproven' && require.includes(judgement.proof)) throw faultOf(judgement, image, who, keys);
  return found.map((judgement) => [
    judgement.proof,
    resultOf(judgement),
    judgement.kind === 'proven' ? judgement.key : '',
    require.includes(judgement.proof) ? 'yes' : 'no',
  ]);
}

export const verify = defineOperation({
  name: 'verify',
  summary: 'Check an image’s signature and attestations',
  effect: 'read',
  input: z.strictObject({ ...askedFields, env: EnvRef.optional() }),
  usage: '<app>[:<tag>] [in <env>] [image=<image>]',
  examples: ['web:v2 in production', 'web:v2'],
  routes: [
    route({
      method: 'POST',
      path: '/docker/verify',
      summary: 'Check an image’s signature and attestations',
      request: askedBody.extend({ namespace: EnvRef.optional() }),
      input: ({ namespace, ...rest }) => ({ ...rest, ...(namespace !== undefined && { env: namespace }) }),
    }),
  ],
  needs: ['registry', 'attachments', 'signing'],
  steps: ['check'],
  target: ({ app, env }) => ({ app, ...(env !== undefined && { env }) }),
  plan: async (context, input) => {
    const { reference, digest, short } = await resolveAsked(context, input);
    return { summary: short, image: { reference, digest }, changes: [], takesOver: [] };
  },
  run: async (run, { env }): Promise<Report> => {
    const { reference, digest } = run.plan.image ?? { reference: '', digest: '' };
    const image = pinnedImage(reference, digest);
    const rows = await run.step('check', async ({ signal }) =>
      verifiedRows(run.on.attachments, image, await demandsOf(run, env), signal),
    );
    const columns = ['Proof', 'Result', 'Key', 'Required'];
    return { kind: 'table', title: `${image.short} is what it should be`, columns, rows, note: digest };
  },
});
