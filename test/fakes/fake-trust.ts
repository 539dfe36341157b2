import { generateKeyPairSync } from 'node:crypto';
import { createSigning } from '../../src/clients/signing/signing.ts';
import type { Attachments, Scanner } from '../../src/core/image-ports.ts';
import { predicates } from '../../src/core/in-toto.ts';
import { type Attached, statementIn } from '../../src/core/verification.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

function typeOf(each: Attached): string {
  if (each.kind === 'simple') return predicates.signature;
  return (each.kind === 'plain' ? each.statement : statementIn(each.envelope))?.predicateType ?? '';
}

/** What is beside images, in memory. */
function fakeAttachments(): Attachments {
  const beside = new Map<string, Attached[]>();
  return {
    read: async (image, types) => (beside.get(image) ?? []).filter((each) => types.includes(typeOf(each))),
    add: async (image, attachment) => {
      const known = beside.get(image) ?? [];
      if (attachment.kind === 'simple') beside.set(image, [...known, attachment]);
      if (attachment.kind === 'statement')
        beside.set(image, [...known, { kind: 'plain', statement: attachment.statement }]);
      if (attachment.kind === 'bundle') {
        const { dsseEnvelope, verificationMaterial } = attachment.bundle;
        beside.set(image, [
          ...known,
          { kind: 'signed', envelope: dsseEnvelope, hint: verificationMaterial.publicKey?.hint },
        ]);
      }
    },
  };
}

const scanner: Scanner = {
  ready: true,
  scan: async () => ({
    findings: [{ kind: 'vulnerability', severity: 'low', id: 'CVE-2099-1', title: 'made up', where: 'musl' }],
    version: 'fake',
    database: { version: '2', updatedAt: '2026-01-01T00:00:00Z' },
    sarif: Buffer.from('{}'),
    sbom: {},
  }),
};

/**
 * Keeps what is beside images in memory, and finds one vulnerability. With `signs` it signs for real, with a key of this
 * process; without, it has no key.
 */
export const fakeTrust = (signs: boolean) => ({
  attachments: fakeAttachments(),
  signing: createSigning(signs ? { key } : {}),
  scanner,
});
