import type { Bundle, Statement } from './in-toto.ts';
import type { Json } from './json.ts';
import type { Finding } from './scan.ts';
import type { Attached, TrustedKey } from './verification.ts';

/** What may be put beside an image. */
export type Attachment =
  | { kind: 'file'; type: string; content: Buffer }
  | { kind: 'bundle'; bundle: Bundle; predicateType: string }
  | { kind: 'statement'; statement: Statement }
  /** Cosign 2's signature, which others read too: its payload, and the signature (base64) over it. */
  | { kind: 'simple'; payload: Buffer; signature: string };

export type Attachments = {
  /**
   * What the registry keeps beside an image (`host/name@sha256:…`): cosign's signatures and attestations, old and new,
   * and statements. Of statements only those of the given types.
   * @throws Fault REGISTRY_UNREACHABLE, REGISTRY_FORBIDDEN
   */
  read(image: string, predicateTypes: readonly string[], signal: AbortSignal): Promise<Attached[]>;
  /**
   * Puts something beside an image; the same thing twice is there once. `at` is when it was made.
   * @throws Fault ATTACHMENT_REFUSED, REGISTRY_UNREACHABLE, REGISTRY_FORBIDDEN
   */
  add(image: string, attachment: Attachment, at: number, signal: AbortSignal): Promise<void>;
};

/** The one key that this Shipmate signs with, and the public keys that others sign with. */
export type Signing = {
  /** Whether it has a key at all. */
  ready: boolean;
  /** @throws Fault NO_SIGNING_KEY, KEY_UNUSABLE */
  own(): Promise<TrustedKey>;
  /** @throws Fault NO_SIGNING_KEY, KEY_UNUSABLE */
  sign(data: Buffer): Promise<Buffer>;
  /** The public keys of PEM files, or of such texts. @throws Fault KEY_UNUSABLE */
  trusted(keys: readonly string[]): Promise<TrustedKey[]>;
};

/** What a scanner found, and the same for other programs: SARIF and CycloneDX. */
export type Scanned = {
  findings: Finding[];
  version: string;
  /** When its database was last brought up to date. */
  database: { version: string; updatedAt: string };
  sarif: Buffer;
  sbom: Json;
};

export type Scanner = {
  /** Whether there is a scanner at all. */
  ready: boolean;
  /**
   * Looks through an image (`host/name@sha256:…`) and, where one is given, the Dockerfile that it is built from.
   * @throws Fault SCANNER_MISSING, SCAN_DATABASE, SCAN_FAILED, SCAN_TIMED_OUT
   */
  scan(
    what: { image: string; dockerfile?: { folder: string; path: string } | undefined },
    limits: { minutes: number; databaseDays: number },
    signal: AbortSignal,
  ): Promise<Scanned>;
};
