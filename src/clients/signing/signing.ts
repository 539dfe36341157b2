import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { type Fault, fault } from '../../core/errors.ts';
import type { Signing } from '../../core/image-ports.ts';
import { type TrustedKey, trustedKey } from '../../core/verification.ts';
import { readGiven, UnfitFile } from '../../files/regular-file.ts';
import { isCosignKey, openCosignKey } from './cosign-key.ts';

export type SigningOptions = {
  /** A private key: the path of a PEM file, or its text. As cosign writes it, or PKCS #8. */
  key?: string | undefined;
  password?: string | undefined;
};

type Own = { key: KeyObject; trusted: TrustedKey };

const isText = (key: string) => key.includes('-----BEGIN ');

/** Never the text of a key, and never OpenSSL's guess at it: only what sort of trouble it was. */
function unusable(name: string, thrown: unknown): Fault {
  if (thrown instanceof UnfitFile) return fault('KEY_UNUSABLE', { name, problem: `it ${thrown.message}` });
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  const problem = code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'it may not be read' : undefined;
  return fault('KEY_UNUSABLE', { name, problem: problem ?? 'it is no PEM key, or its password is another' });
}

const largest = 65_536;
const textOf = (key: string): string => (isText(key) ? key : readGiven(key, largest).toString('utf8'));

async function open({ key, password = '' }: SigningOptions): Promise<Own> {
  if (key === undefined) throw fault('NO_SIGNING_KEY', {});
  try {
    const pem = textOf(key);
    const opened = isCosignKey(pem)
      ? createPrivateKey({ key: await openCosignKey(pem, password), format: 'der', type: 'pkcs8' })
      : createPrivateKey({ key: pem, passphrase: password });
    const publicPem = createPublicKey(opened).export({ type: 'spki', format: 'pem' }).toString();
    return { key: opened, trusted: trustedKey('its own key', publicPem) };
  } catch (thrown) {
    throw unusable('COSIGN_KEY', thrown);
  }
}

/** Signs with the one key of this Shipmate, in this process: the key is on no argument list and in no other file. */
export function createSigning(options: SigningOptions = {}): Signing {
  let opened: Promise<Own> | undefined;
  const own = (): Promise<Own> => {
    // A key that could not be used is tried anew: somebody may have mended it.
    opened ??= open(options).catch((thrown: unknown) => {
      opened = undefined;
      throw thrown;
    });
    return opened;
  };
  return {
    ready: options.key !== undefined,
    own: async () => (await own()).trusted,
    sign: async (data) => {
      const { key } = await own();
      return sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', data, key);
    },
    trusted: (keys) =>
      Promise.all(
        keys.map(async (key, index) => {
          const name = isText(key) ? `number ${index + 1}` : key;
          try {
            return trustedKey(name, textOf(key));
          } catch (thrown) {
            throw unusable(name, thrown);
          }
        }),
      ),
  };
}
