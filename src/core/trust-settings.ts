import { z } from 'zod';

/** What a finding of that kind does to a deploy. */
export const Gate = z.enum(['block', 'warn', 'allow']);
export type Gate = z.output<typeof Gate>;

/** What each kind of finding does to a deploy; what is left out is allowed, and an image without a scan is blocked. */
export const ScanRules = z.strictObject({
  critical: Gate.optional(),
  high: Gate.optional(),
  medium: Gate.optional(),
  low: Gate.optional(),
  unknown: Gate.optional(),
  /** A secret in the image. */
  secrets: Gate.optional(),
  /** A vulnerability that no version mends yet counts too; with `false` it only warns. */
  unfixed: z.boolean().optional(),
  /** An image that was never scanned, or longer ago than `days`. */
  unscanned: Gate.optional(),
  /** A scan counts for so long: what became known since then, it does not know. */
  days: z.number().int().min(1).max(3_650).optional(),
});
export type ScanRules = z.output<typeof ScanRules>;

/** A finding that does not count for a while, and why. */
export const Allowance = z.strictObject({
  id: z.string().min(1).max(200),
  reason: z.string().trim().min(1, 'needs a reason').max(500),
  /** The last day on which it counts (UTC). */
  until: z.iso.date('must be a day such as 2027-01-31'),
  apps: z.array(z.string()).default(['*']),
  environments: z.array(z.string()).default(['*']),
});
export type Allowance = z.output<typeof Allowance>;

export const ImageSettings = z.strictObject({
  /** For every environment; an environment's own `scan` goes before it, one by one. */
  scan: ScanRules.optional(),
  allow: z.array(Allowance).default([]),
  /** A vulnerability database that is older is not believed. */
  databaseDays: z.number().int().min(1).max(365).default(7),
  /** What a scan may take. */
  scanMinutes: z.number().int().min(1).max(120).default(10),
});
export type ImageSettings = z.output<typeof ImageSettings>;

const Proof = z.enum(['signature', 'scan', 'sbom']);

/** What an image must bear before it is deployed, signed by one of the keys. */
export const VerifySettings = z.strictObject({
  /** Public keys (PEM): files, or the text itself. */
  keys: z.array(z.string().min(1)).min(1).max(20),
  require: z.array(Proof).min(1).default(['signature']),
});
export type VerifySettings = z.output<typeof VerifySettings>;
