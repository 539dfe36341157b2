import {
  createRemoteJWKSet,
  errors,
  type JWTPayload,
  type JWTVerifyOptions,
  type JWTVerifyResult,
  jwtVerify,
} from 'jose';
import { z } from 'zod';
import type { Actor } from '../../src/core/actor.ts';
import { fault } from '../../src/core/errors.ts';
import type { Log } from '../../src/core/ports.ts';

export type TokenSettings = {
  /** The shared secret of HS256. */
  secret?: string;
  /** Where the issuer publishes its public keys. */
  jwksUri?: string;
  issuer?: string;
  audience?: string;
};

export type Identity = { actor: Actor; expiresAt: number };

/** Takes the Authorization header. @throws Fault TOKENS_OFF, TOKEN_MISSING, TOKEN_INVALID, KEYS_UNREACHABLE */
export type TokenCheck = (authorization: string | undefined) => Promise<Identity>;

/** Never a symmetric one: a public key must not pass for a shared secret. */
const asymmetric = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'Ed25519',
  'EdDSA',
];
const clockSkewSeconds = 5;

const problems: Partial<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'it has expired',
  ERR_JOSE_ALG_NOT_ALLOWED: 'its algorithm is not allowed',
  ERR_JOSE_NOT_SUPPORTED: 'its algorithm is not allowed',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'its signature is wrong',
  ERR_JWKS_NO_MATCHING_KEY: 'it was not signed with a key of its issuer',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'it does not say which key signed it (kid)',
};
const claimProblems: Partial<Record<string, string>> = {
  iss: 'it is from another issuer',
  aud: 'it is meant for another audience',
  exp: 'it has no expiry (exp)',
  nbf: 'it is not valid yet',
  sub: 'it names no subject (sub)',
};
const keyServerTroubles = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']);

function refusal(thrown: unknown) {
  if (!(thrown instanceof errors.JOSEError) || keyServerTroubles.has(thrown.code))
    return fault('KEYS_UNREACHABLE', {}, thrown);
  const claim = thrown instanceof errors.JWTClaimValidationFailed ? claimProblems[thrown.claim] : undefined;
  return fault('TOKEN_INVALID', { problem: claim ?? problems[thrown.code] ?? 'it is not a valid JWT' }, thrown);
}

/** Who a token is for and how long it counts says nothing of roles. */
const registered = new Set(['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti']);

/** The claims, each as `name=value`; a list gives one for each of its words. */
function claimsOf(payload: JWTPayload): { claims?: string[] } {
  const claims = Object.entries(payload).flatMap(([name, value]) => {
    if (registered.has(name)) return [];
    // `scope` is a list in one string. https://datatracker.ietf.org/doc/html/rfc8693#section-4.2
    const values: unknown[] = Array.isArray(value)
      ? value
      : name === 'scope' && typeof value === 'string'
        ? value.split(' ')
        : [value];
    return values.flatMap((each) => (typeof each === 'string' && each.length <= 200 ? `${name}=${each}` : []));
  });
  return claims.length === 0 ? {} : { claims };
}

/** Shown to people and kept in the audit log: text, and no letters that steer what shows it. */
const Subject = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^\p{C}]+$/u);

/** What everything hangs on, of the claims. The library types them by their names; what a token has there may be anything. */
const Payload = z.object({ sub: Subject, exp: z.number().positive().max(1e11) });
const payloadProblems = { sub: 'it names no usable subject (sub)', exp: 'it has no usable expiry (exp)' };

function checkedPayload(payload: JWTPayload): z.output<typeof Payload> {
  const parsed = Payload.safeParse(payload);
  if (parsed.success) return parsed.data;
  const problem = parsed.error.issues.some(({ path }) => path[0] === 'sub') ? payloadProblems.sub : payloadProblems.exp;
  throw fault('TOKEN_INVALID', { problem }, parsed.error);
}

type Verify = (token: string) => Promise<JWTVerifyResult>;

/** The algorithms are pinned by what is configured; the token's own `jku` and `jwk` headers are never followed. */
function verifier({ secret, jwksUri, issuer, audience }: TokenSettings): Verify | undefined {
  const options: JWTVerifyOptions = {
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
    requiredClaims: ['exp', 'sub'],
    clockTolerance: clockSkewSeconds,
  };
  if (jwksUri !== undefined) {
    const keys = createRemoteJWKSet(new URL(jwksUri), { timeoutDuration: 2_000 });
    return (token) => jwtVerify(token, keys, { ...options, algorithms: asymmetric });
  }
  if (secret === undefined) return undefined;
  const key = new TextEncoder().encode(secret);
  return (token) => jwtVerify(token, key, { ...options, algorithms: ['HS256'] });
}

/** Warns loudly at the start: an issuer signs for many services, and without an audience the token of each is good here. */
export function warnOfTokens({ jwksUri, audience }: TokenSettings, log: Pick<Log, 'error'>): void {
  if (jwksUri === undefined || audience !== undefined) return;
  const problem =
    'JWKS_URI is set and JWT_AUDIENCE is not: what the issuer signs for any other service is taken here too.';
  const mend = 'Set JWT_AUDIENCE to what the issuer puts into tokens that are meant for Shipmate (aud)';
  log.error({ problem, mend }, 'TOKENS OF OTHER SERVICES ARE TAKEN');
}

/** Checks bearer tokens: against the issuer's published keys where `jwksUri` is set, else against the shared secret. */
export function createTokenCheck(settings: TokenSettings): TokenCheck {
  const verify = verifier(settings);
  return async (authorization) => {
    if (!verify) throw fault('TOKENS_OFF', {});
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw fault('TOKEN_MISSING', {});
    const { payload } = await verify(token).catch((thrown: unknown) => {
      throw refusal(thrown);
    });
    const { sub, exp } = checkedPayload(payload);
    return { actor: { kind: 'token', subject: sub, ...claimsOf(payload) }, expiresAt: exp * 1_000 };
  };
}
