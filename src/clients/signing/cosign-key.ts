import { scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { z } from 'zod';

const base64 = z.base64().transform((text) => Buffer.from(text, 'base64'));

const Sealed = z.object({
  kdf: z.object({
    name: z.literal('scrypt'),
    params: z.object({
      N: z
        .number()
        .int()
        .max(2 ** 20),
      r: z.number().int().max(32),
      p: z.number().int().max(32),
    }),
    salt: base64,
  }),
  cipher: z.object({ name: z.literal('nacl/secretbox'), nonce: base64 }),
  ciphertext: base64,
});

const form = /-----BEGIN ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/;

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);

/** Whether a text is a key as `cosign generate-key-pair` writes it. */
export const isCosignKey = (pem: string): boolean => form.test(pem);

/**
 * Opens a key that cosign wrote (scrypt, then a NaCl secretbox). Answers with it as PKCS #8 (DER).
 * @throws Error where the password is wrong, or it is no such key
 */
export async function openCosignKey(pem: string, password: string): Promise<Buffer> {
  const body = form.exec(pem)?.[1] ?? '';
  const { kdf, cipher, ciphertext } = Sealed.parse(JSON.parse(Buffer.from(body, 'base64').toString('utf8')));
  const { N, r, p } = kdf.params;
  const secret = await derive(password, kdf.salt, 32, { N, r, p, maxmem: 256 * N * r });
  return Buffer.from(xsalsa20poly1305(secret, cipher.nonce).decrypt(ciphertext));
}
