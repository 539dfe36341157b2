import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CompactSign, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMetrics } from '../../../handlers/http/metrics.ts';
import { createHttpServer } from '../../../handlers/http/server.ts';
import { createTokenCheck, type TokenCheck } from '../../../handlers/http/tokens.ts';
import { Fault } from '../../../src/core/errors.ts';
import { createNoticeStore } from '../../../src/store/notices.ts';
import { quiet } from '../../support/engine.ts';
import { redisForFile } from '../../support/redis.ts';
import { restBed } from './rest-bed.ts';

const redis = redisForFile();

const bytes = (text: string) => new TextEncoder().encode(text);
const secret = 'a secret that is long enough for HS256';
const inFiveMinutes = () => Math.floor(Date.now() / 1_000) + 300;
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

async function refusalOf(check: TokenCheck, token: string | undefined): Promise<string> {
  try {
    const { actor } = await check(token === undefined ? undefined : `Bearer ${token}`);
    return `taken: ${JSON.stringify(actor)}`;
  } catch (thrown) {
    if (thrown instanceof Fault) return `${thrown.code} ${thrown.message}`;
    throw thrown;
  }
}

describe('HS256 with JWT_SECRET', () => {
  const check = createTokenCheck({ secret, issuer: 'us', audience: 'shipmate' });
  const good = () =>
    new SignJWT()
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('ana@example.com')
      .setIssuer('us')
      .setAudience('shipmate')
      .setExpirationTime('5 min');
  const signed = (token: SignJWT, key = secret) => token.sign(bytes(key));
  /** The library checks what it is given to sign; somebody else's need not. */
  const signRaw = async (payload: object) =>
    await new CompactSign(bytes(JSON.stringify(payload))).setProtectedHeader({ alg: 'HS256' }).sign(bytes(secret));
  const claims = () => ({ sub: 'ana@example.com', iss: 'us', aud: 'shipmate', exp: inFiveMinutes() });

  test('a good token names its subject and its end', async () => {
    const { actor, expiresAt } = await check(`bearer ${await signed(good())}`);
    expect(actor).toEqual({ kind: 'token', subject: 'ana@example.com' });
    expect(expiresAt).toBeGreaterThan(Date.now() + 290_000);
  });

  test('none at all', async () => {
    expect(await refusalOf(check, undefined)).toMatch(/^TOKEN_MISSING/);
    await expect(check('Basic YW5hOng=')).rejects.toMatchObject({ code: 'TOKEN_MISSING', status: 401 });
  });

  test.each([
    ['expired', () => signed(good().setExpirationTime(inFiveMinutes() - 310)), 'it has expired'],
    ['not valid yet', () => signed(good().setNotBefore(inFiveMinutes())), 'it is not valid yet'],
    ['wrongly signed', () => signed(good(), 'another secret that is long enough'), 'its signature is wrong'],
    ['of another issuer', () => signed(good().setIssuer('them')), 'it is from another issuer'],
    ['for another audience', () => signed(good().setAudience('payroll')), 'it is meant for another audience'],
    [
      'that never expires',
      () => new SignJWT({ ...claims(), exp: undefined }).setProtectedHeader({ alg: 'HS256' }).sign(bytes(secret)),
      'it has no expiry',
    ],
    [
      'without a subject',
      () => new SignJWT({ ...claims(), sub: undefined }).setProtectedHeader({ alg: 'HS256' }).sign(bytes(secret)),
      'it names no subject',
    ],
    ['with an empty subject', () => signed(good().setSubject('')), 'it names no usable subject'],
    ['with an endless subject', () => signed(good().setSubject('x'.repeat(257))), 'it names no usable subject'],
    ...(
      [
        ['a list', ['eve']],
        ['a number', 7],
        ['an object', { length: 3 }],
        ['true', true],
        ['text that runs backwards', 'ana\u202e@example.com'],
        ['two lines', 'ana@example.com\nben@example.com'],
        ['half a letter', 'ana\ud800'],
      ] as const
    ).map(
      ([what, sub]) =>
        [`whose subject is ${what}`, () => signRaw({ ...claims(), sub }), 'it names no usable subject'] as [
          string,
          () => Promise<string>,
          string,
        ],
    ),
    ['that ends in a million years', () => signRaw({ ...claims(), exp: 1e300 }), 'it has no usable expiry'],
    ['of algorithm none', async () => new UnsecuredJWT(claims()).encode(), 'its algorithm is not allowed'],
    [
      'of algorithm nOnE',
      async () => `${base64({ alg: 'nOnE' })}.${base64(claims())}.`,
      'its algorithm is not allowed',
    ],
    [
      'of HS512',
      async () => new SignJWT(claims()).setProtectedHeader({ alg: 'HS512' }).sign(bytes(secret.repeat(2))),
      'its algorithm is not allowed',
    ],
    [
      'with the signature cut off',
      async () => (await signed(good())).split('.').slice(0, 2).join('.').concat('.'),
      'its signature is wrong',
    ],
    [
      'with other claims pasted in',
      async () => (await signed(good())).replace(/\.[^.]+\./, `.${base64({ ...claims(), sub: 'ben' })}.`),
      'its signature is wrong',
    ],
    ['that is no token', async () => 'hello', 'it is not a valid JWT'],
  ])('a token %s', async (_what, make, words) => {
    expect(await refusalOf(check, await make())).toMatch(`TOKEN_INVALID The token was refused: ${words}`);
  });

  test('where nothing is configured, the answer says so', async () => {
    expect(await refusalOf(createTokenCheck({}), await signed(good()))).toMatch(/^TOKENS_OFF.*JWT_SECRET.*JWKS_URI/);
  });
});

describe('JWKS_URI with JWT_ISSUER', () => {
  let server: Server;
  let asked: string[];
  let published: JWK[];
  let check: TokenCheck;
  let origin: string;
  const keys = {
    ours: generateKeyPair('RS256', { extractable: true }),
    theirs: generateKeyPair('RS256', { extractable: true }),
  };
  const good = (header: { kid?: string; alg?: string; jku?: string; jwk?: JWK } = {}) =>
    new SignJWT()
      .setProtectedHeader({ alg: 'RS256', kid: 'ours', ...header })
      .setSubject('ana@example.com')
      .setIssuer('https://idp.example')
      .setExpirationTime('5 min');

  beforeAll(async () => {
    asked = [];
    published = [{ ...(await exportJWK((await keys.ours).publicKey)), kid: 'ours', alg: 'RS256', use: 'sig' }];
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: published }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    // A server that listens on TCP has an address of that kind.
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    check = createTokenCheck({ jwksUri: `${origin}/keys`, issuer: 'https://idp.example' });
  });
  afterAll(() => server.close());

  test('a token of the issuer is taken; the keys are fetched once', async () => {
    for (let i = 0; i < 3; i++) await check(`Bearer ${await good().sign((await keys.ours).privateKey)}`);
    expect(asked).toEqual(['/keys']);
  });

  test('another issuer with the same keys is refused', async () => {
    const token = await good()
      .setIssuer('https://evil.example')
      .sign((await keys.ours).privateKey);
    expect(await refusalOf(check, token)).toContain('it is from another issuer');
  });

  test('another key is refused, under our key’s name and under its own', async () => {
    const { privateKey } = await keys.theirs;
    expect(await refusalOf(check, await good().sign(privateKey))).toContain('its signature is wrong');
    expect(await refusalOf(check, await good({ kid: 'theirs' }).sign(privateKey))).toContain(
      'not signed with a key of its issuer',
    );
  });

  test('the public key does not pass for a shared secret', async () => {
    const { publicKey } = await keys.ours;
    const pem = await exportSPKI(publicKey);
    for (const guess of [pem, pem.trim(), JSON.stringify(published[0]), published[0]?.n ?? '']) {
      const token = await new SignJWT({ sub: 'ana@example.com', iss: 'https://idp.example', exp: inFiveMinutes() })
        .setProtectedHeader({ alg: 'HS256', kid: 'ours' })
        .sign(bytes(guess));
      expect(await refusalOf(check, token)).toContain('its algorithm is not allowed');
    }
  });

  test('nor does a token without a signature', async () => {
    const token = new UnsecuredJWT({ sub: 'ana@example.com', iss: 'https://idp.example', exp: inFiveMinutes() });
    expect(await refusalOf(check, token.encode())).toContain('its algorithm is not allowed');
  });

  test('a token does not choose where its key comes from', async () => {
    const { privateKey, publicKey } = await keys.theirs;
    const jwk = await exportJWK(publicKey);
    const before = asked.length;
    const token = await good({ kid: 'theirs', jku: `${origin}/evil`, jwk }).sign(privateKey);
    expect(await refusalOf(check, token)).toContain('not signed with a key of its issuer');
    expect(asked.slice(before)).not.toContain('/evil');
  });

  test('a new key is taken while the old one still holds', async () => {
    const next = await generateKeyPair('ES256', { extractable: true });
    published.push({ ...(await exportJWK(next.publicKey)), kid: 'next', alg: 'ES256', use: 'sig' });
    const fresh = createTokenCheck({ jwksUri: `${origin}/keys`, issuer: 'https://idp.example' });
    const token = await good({ alg: 'ES256', kid: 'next' }).sign(next.privateKey);
    expect(await refusalOf(fresh, token)).toMatch(/^taken/);
    expect(await refusalOf(fresh, await good().sign((await keys.ours).privateKey))).toMatch(/^taken/);
  });

  test('a key server that does not answer is not the token’s fault', async () => {
    const away = createTokenCheck({ jwksUri: 'http://127.0.0.1:1/keys', issuer: 'https://idp.example' });
    expect(await refusalOf(away, await good().sign((await keys.ours).privateKey))).toMatch(/^KEYS_UNREACHABLE/);
  });
});

test.each([
  [{ jwksUri: 'https://idp.example/keys', issuer: 'https://idp.example' }, 1],
  [{ jwksUri: 'https://idp.example/keys', issuer: 'https://idp.example', audience: 'shipmate' }, 0],
  [{ secret }, 0],
  [{}, 0],
])('the start warns where tokens for other services would be taken: %j', async (tokens, times) => {
  const told: unknown[][] = [];
  const redisUrl = redis().url;
  const bed = await restBed(redisUrl);
  const log = { ...quiet, error: (...words: unknown[]) => void told.push(words) };
  const api = { engine: bed.engine, notices: createNoticeStore(bed.engine.redis), tokens };
  const app = await createHttpServer({ log, metrics: createMetrics(), checks: {}, api });
  await app.close();
  await bed.close();
  expect(told).toHaveLength(times);
  if (times > 0) expect(JSON.stringify(told)).toMatch(/JWKS_URI is set and JWT_AUDIENCE is not.*Set JWT_AUDIENCE/);
});
