import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { simpleSigningShape, statementShape } from './document-shapes.ts';
import {
  type Envelope,
  isAbout,
  preAuthentication,
  predicates,
  SimpleSigning,
  Statement,
  subjectsOf,
} from './in-toto.ts';
import { readOrNothing, type Shape } from './one-reading.ts';

/** A public key that somebody trusts; `name` is how people know it, and `hint` how bundles name it. */
export type TrustedKey = { name: string; key: KeyObject; hint: string };

/** Something small that the registry keeps beside an image. */
export type Attached =
  /** Cosign 2's signature of the image: its payload, and the signature (base64) over it. */
  | { kind: 'simple'; payload: Buffer; signature: string }
  /** A signed statement. `hint` names the key where it is known. */
  | { kind: 'signed'; envelope: Envelope; hint?: string | undefined }
  /** A statement that nobody signed. */
  | { kind: 'plain'; statement: Statement };

/** What can be proven of an image: cosign’s signature, or a signed statement. */
export type Proof = keyof typeof predicates;

/** Why a proof is none. They are ordered: what comes later is nearer to being one, and says more. */
const shortcomings = ['none', 'foreign-key', 'altered', 'other-digest'] as const;
export type Shortcoming = (typeof shortcomings)[number];

export type Judgement =
  | { kind: 'proven'; proof: Proof; key: string; statements: Statement[] }
  | { kind: 'unproven'; proof: Proof; why: Shortcoming; about: string[] };

/** A key of the text of a PEM file. @throws Error where it is none */
export function trustedKey(name: string, pem: string): TrustedKey {
  const key = createPublicKey(pem);
  const hint = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64');
  return { name, key, hint };
}

const fits = ({ key }: TrustedKey, data: Buffer, signature: string): boolean =>
  verify(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', data, key, Buffer.from(signature, 'base64'));

type Tried = { key?: TrustedKey; altered: boolean; about: string[]; fitsDigest: boolean; statement?: Statement };

function parsed<Output>(
  schema: { safeParse(value: unknown): { data?: Output } },
  shape: Shape,
  bytes: Buffer,
): Output | undefined {
  return schema.safeParse(readOrNothing(bytes, shape)).data;
}

/** What an envelope says, whoever signed it; undefined where that is no statement that all programs read the same. */
export const statementIn = ({ payload }: Envelope): Statement | undefined =>
  parsed(Statement, statementShape, Buffer.from(payload, 'base64'));

function trySimple(
  { payload, signature }: Extract<Attached, { kind: 'simple' }>,
  digest: string,
  keys: readonly TrustedKey[],
): Tried {
  const found = parsed(SimpleSigning, simpleSigningShape, payload)?.critical.image['docker-manifest-digest'];
  const key = keys.find((each) => fits(each, payload, signature));
  return {
    altered: false,
    about: found === undefined ? [] : [found],
    fitsDigest: found === digest,
    ...(key && { key }),
  };
}

/** A signed statement of that type; undefined where it is of another. */
function trySigned(
  { envelope, hint }: Extract<Attached, { kind: 'signed' }>,
  { digest, type, keys }: { digest: string; type: string; keys: readonly TrustedKey[] },
): Tried | undefined {
  const payload = Buffer.from(envelope.payload, 'base64');
  const statement = statementIn(envelope);
  if (statement?.predicateType !== type) return undefined;
  const signed = preAuthentication(envelope.payloadType, payload);
  const key = keys.find((each) => envelope.signatures.some(({ sig }) => fits(each, signed, sig)));
  return {
    altered: !key && keys.some((each) => each.hint === hint),
    about: subjectsOf(statement),
    fitsDigest: isAbout(statement, digest),
    statement,
    ...(key && { key }),
  };
}

function shortcomingOf({ key, altered }: Tried): Shortcoming {
  if (key) return 'other-digest';
  return altered ? 'altered' : 'foreign-key';
}

/**
 * Whether what is attached to an image proves the one thing about that very digest, by one of the keys. A bundle counts as
 * the image's signature only where it says so: cosign itself takes any signed statement for one.
 */
export function judge(
  proof: Proof,
  digest: string,
  keys: readonly TrustedKey[],
  attached: readonly Attached[],
): Judgement {
  const tried = attached.flatMap((each) => {
    if (each.kind === 'plain') return [];
    if (each.kind === 'simple') return proof === 'signature' ? [trySimple(each, digest, keys)] : [];
    return trySigned(each, { digest, type: predicates[proof], keys }) ?? [];
  });
  const good = tried.filter(({ key, fitsDigest }) => key && fitsDigest);
  const [first] = good;
  if (first?.key)
    return { kind: 'proven', proof, key: first.key.name, statements: good.flatMap(({ statement }) => statement ?? []) };
  const worst = tried
    .map((each) => ({ why: shortcomingOf(each), about: each.about }))
    .toSorted((a, b) => shortcomings.indexOf(b.why) - shortcomings.indexOf(a.why))[0];
  return { kind: 'unproven', proof, why: worst?.why ?? 'none', about: worst?.about ?? [] };
}
