import { z } from 'zod';
import { Json } from './json.ts';

/** What a statement says of its subject, by the name that other tools know it under. */
export const predicates = {
  signature: 'https://sigstore.dev/cosign/sign/v1',
  scan: 'https://cosign.sigstore.dev/attestation/vuln/v1',
  sbom: 'https://cyclonedx.org/bom',
  decision: 'https://shipmate.dev/attestations/decision/v1',
} as const;

export const statementType = 'application/vnd.in-toto+json';
export const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
export const Statement = z.object({
  _type: z.string().startsWith('https://in-toto.io/Statement/'),
  subject: z.array(z.object({ name: z.string().optional(), digest: z.record(z.string(), z.string()) })),
  predicateType: z.string(),
  predicate: Json.optional(),
});
export type Statement = z.output<typeof Statement>;

/** https://github.com/secure-systems-lab/dsse/blob/master/envelope.md */
export const Envelope = z.object({
  payloadType: z.string(),
  payload: z.base64(),
  signatures: z.array(z.object({ sig: z.base64() })).min(1),
});
export type Envelope = z.output<typeof Envelope>;

/** https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto, as far as keys need it. */
export const Bundle = z.object({
  mediaType: z.string().startsWith('application/vnd.dev.sigstore.bundle'),
  verificationMaterial: z.object({ publicKey: z.object({ hint: z.string().optional() }).optional() }),
  dsseEnvelope: Envelope,
});
export type Bundle = z.output<typeof Bundle>;

/** A statement about the image `name` (without tag) of that digest. */
export function statementOf(
  { name, digest }: { name: string; digest: string },
  predicateType: string,
  predicate?: Json,
): Statement {
  const [algorithm = '', hex = ''] = digest.split(':');
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name, digest: { [algorithm]: hex } }],
    predicateType,
    ...(predicate !== undefined && { predicate }),
  };
}

/** Whether a statement is about that image. */
export function isAbout({ subject }: Statement, digest: string): boolean {
  const [algorithm = '', hex = ''] = digest.split(':');
  return subject.some((each) => each.digest[algorithm] === hex);
}

/** The digests that a statement is about, as people know them. */
export const subjectsOf = ({ subject }: Statement): string[] =>
  subject.flatMap(({ digest }) => Object.entries(digest).map(([algorithm, hex]) => `${algorithm}:${hex}`));

/** What is signed of an envelope (DSSE's pre-authentication encoding): `DSSEv1 LENGTH TYPE LENGTH PAYLOAD`. */
export function preAuthentication(payloadType: string, payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** Puts a signed statement into a bundle; `hint` names the key. */
export function bundleOf(payload: Uint8Array, signature: Uint8Array, hint: string): Bundle {
  return {
    mediaType: bundleType,
    verificationMaterial: { publicKey: { hint } },
    dsseEnvelope: {
      payload: Buffer.from(payload).toString('base64'),
      payloadType: statementType,
      signatures: [{ sig: Buffer.from(signature).toString('base64') }],
    },
  };
}

/**
 * What cosign 2 signs: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md. `docker-reference` is where the
 * image was when it was signed; an image that was copied keeps its signature.
 */
export const SimpleSigning = z.object({
  critical: z.object({
    identity: z.object({ 'docker-reference': z.string() }),
    image: z.object({ 'docker-manifest-digest': z.string() }),
    type: z.literal('cosign container image signature'),
  }),
});
export type SimpleSigning = z.output<typeof SimpleSigning>;

/** Cosign's payload for an image. */
export function simpleSigning({ name, digest }: { name: string; digest: string }): Buffer {
  const critical = {
    identity: { 'docker-reference': name },
    image: { 'docker-manifest-digest': digest },
    type: 'cosign container image signature',
  };
  return Buffer.from(JSON.stringify({ critical, optional: null }));
}
