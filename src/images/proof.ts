import { type Fault, fault } from '../core/errors.ts';
import type { Attachments, Signing } from '../core/image-ports.ts';
import {
  bundleOf,
  isAbout,
  preAuthentication,
  predicates,
  type Statement,
  statementOf,
  statementType,
} from '../core/in-toto.ts';
import type { Json } from '../core/json.ts';
import { Scan } from '../core/scan.ts';
import {
  type Attached,
  type Judgement,
  judge,
  type Proof,
  statementIn,
  type TrustedKey,
} from '../core/verification.ts';
import type { PinnedImage } from './pinned.ts';

const words: Record<Proof, string> = {
  signature: 'signature',
  scan: 'signed scan',
  sbom: 'signed bill of material (SBOM)',
  decision: 'signed decision',
};

const ways: Record<Proof, string> = {
  signature: 'To sign it here: /ship sign ',
  scan: 'To scan it here: /ship scan ',
  sbom: 'A scan makes one: /ship scan ',
  decision: 'Shipmate makes one for each approved deploy, not for ',
};

/** What is wrong with a proof, to whom. */
export function faultOf(
  { proof, why, about }: Extract<Judgement, { kind: 'unproven' }>,
  { short }: PinnedImage,
  env: string,
  keys: readonly TrustedKey[],
): Fault {
  const said = { image: short, proof: words[proof], way: `${ways[proof]}${short}` };
  switch (why) {
    case 'none':
      return fault('IMAGE_UNPROVEN', { ...said, env });
    case 'foreign-key':
      return fault('IMAGE_FOREIGN_KEY', { ...said, env, keys: keys.map(({ name }) => name).join(', ') });
    case 'other-digest':
      return fault('IMAGE_OTHER_DIGEST', { ...said, about: about.join(', ').slice(0, 200) || 'none' });
    case 'altered':
      return fault('IMAGE_ALTERED', said);
    default:
      return why satisfies never;
  }
}

/** What is attached to the image as proof of these things. */
export const readProofs = (
  attachments: Attachments,
  { pinned }: PinnedImage,
  proofs: readonly Proof[],
  signal: AbortSignal,
): Promise<Attached[]> =>
  attachments.read(
    pinned,
    proofs.map((proof) => predicates[proof]),
    signal,
  );

/**
 * Judges each proof. @returns one judgement a proof, in that order
 * @throws Fault REGISTRY_UNREACHABLE where nothing can be known
 */
export async function judgeAll(
  attachments: Attachments,
  image: PinnedImage,
  keys: readonly TrustedKey[],
  proofs: readonly Proof[],
  signal: AbortSignal,
): Promise<Judgement[]> {
  const attached = await readProofs(attachments, image, proofs, signal);
  return proofs.map((proof) => judge(proof, image.digest, keys, attached));
}

/** The scans among statements. */
export const scansIn = (statements: readonly Statement[]): Scan[] =>
  statements.flatMap(({ predicate }) => Scan.safeParse(predicate).data ?? []);

/** Scans of the image by whomever, signed or not: for what nobody's key is asked for. */
export function anyScans(attached: readonly Attached[], digest: string): Scan[] {
  const statements = attached.flatMap((each): Statement[] => {
    if (each.kind === 'plain') return [each.statement];
    const statement = each.kind === 'signed' ? statementIn(each.envelope) : undefined;
    return statement ? [statement] : [];
  });
  return scansIn(statements.filter((each) => each.predicateType === predicates.scan && isAbout(each, digest)));
}

type Vouching = { attachments: Attachments; signing: Signing };

/** Puts a statement about the image beside it: signed, where this Shipmate has a key. */
export async function attest(
  { attachments, signing }: Vouching,
  image: PinnedImage,
  { proof, predicate, at }: { proof: Proof; predicate?: Json; at: number },
  signal: AbortSignal,
): Promise<void> {
  const predicateType = predicates[proof];
  const statement = statementOf(image, predicateType, predicate);
  if (!signing.ready) return await attachments.add(image.pinned, { kind: 'statement', statement }, at, signal);
  const payload = Buffer.from(JSON.stringify(statement));
  const [{ hint }, signature] = await Promise.all([
    signing.own(),
    signing.sign(preAuthentication(statementType, payload)),
  ]);
  const bundle = bundleOf(payload, signature, hint);
  await attachments.add(image.pinned, { kind: 'bundle', bundle, predicateType }, at, signal);
}
