import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { createTokenCheck } from '../../handlers/http/tokens.ts';
import { Actor, actorId } from '../../src/core/actor.ts';
import { mutated, text, written } from '../inputs.ts';
import { holds, type Target, target } from '../target.ts';

const secret = 'a secret that nobody knows, of 32 letters';
const check = createTokenCheck({ secret });
const base64 = (text: string) => Buffer.from(text).toString('base64url');

function signed(header: string, claims: string): string {
  const body = `${base64(header)}.${base64(claims)}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}

const header = { alg: 'HS256', typ: 'JWT', kid: 'k' };
const claims = {
  sub: 'ana@example.com',
  exp: 4_000_000_000,
  nbf: 1,
  iat: 1,
  aud: ['a'],
  groups: ['eng'],
  scope: 'a b',
};

export const tokens: readonly Target[] = [
  target(
    'claims',
    'A signed token is refused, or names one subject as a text.',
    fc.tuple(
      mutated([header], ['none', 'HS512', 'b64', 'crit']).map(written),
      mutated([claims], ['sub', 'exp']).map(written),
    ),
    async ([head, said]) => {
      const { actor, expiresAt } = await check(`Bearer ${signed(head, said)}`);
      holds(Actor.safeParse(actor).success, `it is ${JSON.stringify(actor)}`);
      holds(Number.isFinite(expiresAt) && actorId(actor).startsWith('token:'), 'it never ends');
    },
  ),
  target(
    'token',
    'A header that is no token is refused.',
    text(['Bearer ', 'Basic ', '.', base64(written(header)), base64(written(claims)), 'eyJ', ' ']),
    async (authorization) => {
      await check(authorization);
      holds(false, 'it is taken');
    },
  ),
];
