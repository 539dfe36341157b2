import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { fault } from '../core/errors.ts';

/** Seals what is stored, bound to where it is stored: `about` is the record's key and field, so that it opens nowhere else. */
export type Seal = {
  /** False where there is no key, and everything is stored as it is. */
  sealed: boolean;
  seal(text: string, about: string): string;
  /** Whether it bears the seal of the key that seals now. */
  isNewest(stored: string): boolean;
  /** @throws Fault SEALED_ELSEWHERE where the key is not known, SEAL_BROKEN where it was changed or moved, UNSEALED */
  open(stored: string, about: string): string;
};

const mark = 'sealed:1:';
const nonceBytes = 12;
const tagBytes = 16;

/** Without a key everything is stored as it is; what was sealed before can't be opened. */
export const noSeal: Seal = createSeal([]);

/** Where a value is, within what has several: the field of a hash. */
export const fieldOf = (key: string, field: string): string => `${key}#${field}`;

/** A short name of a key that says nothing about it. */
const idOf = (key: Buffer) => createHash('sha256').update(key).digest('hex').slice(0, 8);

/**
 * AES-256-GCM. The first key seals and all of them open, so a key is changed by putting the new one before the old one,
 * and dropping the old one once nothing is left that it sealed (30 days). What bears no seal is not believed: whoever can write to
 * Redis could have put it there. Only until `acceptUnsealedUntil` it is, so that a store which had no key can get one.
 * Stored form: `sealed:1:KEY-ID:` and nonce, ciphertext and tag in base64url.
 */
export function createSeal(keys: readonly Buffer[], acceptUnsealedUntil = 0, now: () => number = Date.now): Seal {
  const byId = new Map(keys.map((key) => [idOf(key), key]));
  const [newest] = byId;
  return {
    sealed: newest !== undefined,
    seal: (text, about) => {
      if (!newest) return text;
      const [id, key] = newest;
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(about));
      const body = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `${mark}${id}:${body.toString('base64url')}`;
    },
    isNewest: (stored) => newest !== undefined && stored.startsWith(`${mark}${newest[0]}:`),
    open: (stored, about) => {
      if (!stored.startsWith(mark)) {
        if (!newest || now() < acceptUnsealedUntil) return stored;
        throw fault('UNSEALED', { about });
      }
      const [id = '', body = ''] = stored.slice(mark.length).split(':');
      const key = byId.get(id);
      if (!key) throw fault('SEALED_ELSEWHERE', { id });
      const bytes = Buffer.from(body, 'base64url');
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes));
        decipher.setAAD(Buffer.from(about)).setAuthTag(bytes.subarray(-tagBytes));
        const text = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]);
        return text.toString('utf8');
      } catch (thrown) {
        throw fault('SEAL_BROKEN', { about }, thrown);
      }
    },
  };
}

/** The keys of ENCRYPTION_KEY: each 32 bytes in hexadecimal or base64, the newest first, with commas between. */
export function keysOf(variable: string | undefined): Buffer[] {
  return (variable?.split(',') ?? []).map((key) =>
    Buffer.from(key.trim(), key.trim().length === 64 ? 'hex' : 'base64'),
  );
}
